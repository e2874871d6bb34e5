/// What happened to a camera's frames between two prints of its statistics.
struct IntervalStatistics {
  /// What an interval begins or ends with.
  struct Reading {
    let statistics: StreamStatistics
    /// Nanoseconds of `Clock.monotonic`.
    let time: Int64
    /// Packets that receivers reported as lost; nil where none reports.
    let lost: Int?

    init(_ state: Board.State) {
      statistics = state.statistics
      time = state.statisticsTime
      let reporting = state.receivers.lazy.filter { $0.reception.receivers > 0 }.map { Int($0.reception.lost) }
      lost = reporting.isEmpty ? nil : reporting.reduce(0, +)
    }
  }

  private let seconds: Double
  private let begin: Reading
  private let end: Reading

  /// - Returns: nil where no time went by.
  init?(from begin: Reading, to end: Reading) {
    seconds = Double(end.time - begin.time) / 1e9
    guard seconds > 0 else { return nil }
    self.begin = begin
    self.end = end
  }

  /// A frame that was counted as sent may be taken back: then it is none, not less.
  private func rise(_ value: (StreamStatistics) -> UInt64) -> UInt64 {
    let before = value(begin.statistics)
    return max(before, value(end.statistics)) - before
  }

  /// A part of a line for people.
  var text: String {
    let frames = Double(rise(\.sent)) / seconds
    let megabits = Double(rise(\.bytes)) * 8e-6 / seconds
    var text = "in the last \(seconds.decimal(1)) s \(frames.decimal(1)) frames/s sent, \(megabits.decimal(1)) Mbit/s"
    text += ", \(rise(\.dropped)) frames dropped"
    text += ", \(rise(\.latePackets) + rise(\.unreachablePackets)) packets left out"
    if let lost = end.lost { text += ", \(max(0, lost - (begin.lost ?? 0))) packets reported lost" }
    return text
  }
}
