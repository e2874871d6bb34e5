import Statistics

/// A result beside a former one: what became worse.
struct Comparison {
  /// One figure of both.
  struct Row {
    let name: String
    let before: Double
    let now: Double
    let isWorse: Bool
  }

  private(set) var rows: [Row] = []
  /// What people should know of it.
  private var remarks: [String] = []

  private let tolerance: Double
  private let before: JSON
  private let now: JSON

  /// - Parameter tolerance: what a figure may be worse by, as a part of it: 0.1 is a tenth.
  init(_ before: JSON, _ now: JSON, tolerance: Double) {
    self.tolerance = tolerance
    self.before = before
    self.now = now
    let (old, new) = (before["mode"]?.description ?? "?", now["mode"]?.description ?? "?")
    if old != new { remarks.append("another mode than before: \(old), now \(new)") }
    addLatencies()
    addCounts()
    addRate()
    add("cpu_us_per_frame", least: 1)
    add("rss_peak_kb", least: 0)
  }

  var isWorse: Bool { rows.contains { $0.isWorse } }

  /// For people.
  var table: String {
    let lines = rows.map { row in
      let (before, now) = (JSON.number(row.before).description, JSON.number(row.now).description)
      return row.name.padded(to: 48) + before.rightAligned(to: 12) + " " + now.rightAligned(to: 12)
        + (row.isWorse ? "  worse" : "")
    }
    return (remarks + ["".padded(to: 48) + "      before          now"] + lines).joined(separator: "\n") + "\n"
  }

  /// More by more than the tolerance, and by more than so much, below which there is nothing to tell apart.
  private func isMore(_ new: Double, _ old: Double, than least: Double) -> Bool {
    new > old * (1 + tolerance) && new - old > least
  }

  private mutating func add(_ name: String, least: Double) {
    guard let old = before[name]?.number, let new = now[name]?.number else { return }
    rows.append(Row(name: name, before: old, now: new, isWorse: isMore(new, old, than: least)))
  }

  /// The one figure of which more is better.
  private mutating func addRate() {
    guard let old = before["fps"]?.number, let new = now["fps"]?.number else { return }
    rows.append(Row(name: "fps", before: old, now: new, isWorse: isMore(old, new, than: 0)))
  }

  /// The percentiles of each stage. They are apart where the intervals that they lie in do not meet.
  private mutating func addLatencies() {
    guard case .object(let stages)? = before["latency_us"] else { return }
    for (stage, old) in stages {
      guard let new = now["latency_us"]?[stage] else {
        remarks.append("no longer measured: \(stage)")
        continue
      }
      for (part, _) in Distribution.parts {
        guard let was = old[part]?.number, let value = new[part]?.number else { continue }
        let low = new["confidence_95"]?[part]?.ends?.first?.number ?? value
        // Where there were too few to tell, none was later than the latest.
        let high = old["confidence_95"]?[part]?.ends?.last?.number ?? old["max"]?.number ?? was
        rows.append(
          Row(
            name: "latency_us.\(stage).\(part)", before: was, now: value,
            isWorse: isMore(value, was, than: 1) && low > high))
      }
    }
  }

  /// Frames of which each is one too many, as many as there are of all. Such counts scatter by their root.
  private static let counts = ["dropped", "never_sent", "sent_to_some", "sent_in_part", "abandoned"]

  private mutating func addCounts() {
    let frames = (before["frames"]?.number ?? 0, now["frames"]?.number ?? 0)
    guard frames.0 > 0, frames.1 > 0 else { return }
    func row(_ name: String, _ old: JSON?, _ new: JSON?) -> Row? {
      guard let old = old?.number, let new = new?.number else { return nil }
      let (was, value) = (old / frames.0, new / frames.1)
      let chance = 1.96 * (max(0, old) / frames.0 / frames.0 + max(0, new) / frames.1 / frames.1).squareRoot()
      return Row(name: "\(name) a frame", before: was, now: value, isWorse: isMore(value, was, than: chance))
    }
    rows += Self.counts.compactMap { row($0, before[$0], now[$0]) }
    rows += [row("received.missing", before["received"]?["missing"], now["received"]?["missing"])].compactMap { $0 }
  }
}

extension JSON {
  /// The values of an array.
  fileprivate var ends: [JSON]? {
    if case .array(let values) = self { values } else { nil }
  }
}
