/// Keeps what happens again and again from filling the log: of each subject a few lines a minute, and at the end of that
/// minute the last one of the others, with their number. Times are nanoseconds of CLOCK_MONOTONIC.
struct RepeatLimiter {
  struct Line: Equatable {
    let level: Log.Level
    let text: String

    fileprivate func with(others count: Int) -> Line {
      count == 0 ? self : Line(level: level, text: "\(text) (and \(count) more before that are not logged)")
    }
  }

  private static let period: Int64 = 60_000_000_000
  static let maximumLines = 6

  private struct Minute {
    let start: Int64
    var lines = 0
    /// How many lines were held back, and the last one of them.
    var heldBack = 0
    var last: Line?

    var end: Int64 { start + RepeatLimiter.period }
  }

  private var minutes: [String: Minute] = [:]

  /// Something happened to a subject.
  /// - Returns: what is to be logged of it now; nil: the line is held back.
  mutating func admit(_ line: Line, about subject: String, at now: Int64) -> Line? {
    var minute = minutes[subject] ?? Minute(start: now)
    defer { minutes[subject] = minute }
    let others = minute.end <= now ? minute.heldBack : 0
    if minute.end <= now { minute = Minute(start: now) }
    guard minute.lines < Self.maximumLines else {
      minute.heldBack += 1
      minute.last = line
      return nil
    }
    minute.lines += 1
    return line.with(others: others)
  }

  /// When `next` has a line; nil: not before something happens.
  var due: Int64? { minutes.values.filter { $0.last != nil }.map(\.end).min() }

  /// A line that was held back, and is to be logged now.
  mutating func next(at now: Int64) -> Line? {
    guard let due, due <= now else { return nil }
    // Nothing is to be known of minutes that are over.
    minutes = minutes.filter { $0.value.end > now || $0.value.last != nil }
    guard let (subject, minute) = minutes.first(where: { $1.last != nil && $1.end == due }) else { return nil }
    minutes[subject] = nil
    return minute.last?.with(others: minute.heldBack - 1)
  }
}
