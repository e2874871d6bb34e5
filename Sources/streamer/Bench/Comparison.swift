/// A result beside a former one: what became worse.
struct Comparison {
  /// One figure of both.
  struct Row {
    let name: String
    let before: Double
    let now: Double
    let isWorse: Bool
  }

  let rows: [Row]

  /// Figures of which less is better.
  private static let figures = ["latency_us", "cpu_", "dropped", "rss_peak_kb", "page_faults", "context_switches"]
  /// The ends of a distribution are of single frames.
  private static let singles = ["min", "max"]

  /// - Parameter tolerance: what a figure may be larger by, as a part of it: 0.1 is a tenth.
  init(_ before: JSON, _ now: JSON, tolerance: Double) {
    let former = Dictionary(Self.numbers(before), uniquingKeysWith: { first, _ in first })
    rows = Self.numbers(now).compactMap { name, value in
      guard Self.figures.contains(where: { name.hasPrefix($0) }), let old = former[name] else { return nil }
      let isSingle = Self.singles.contains { name.hasSuffix(".\($0)") }
      // Below a microsecond, or a thousandth of a fault, there is nothing to tell apart.
      let isMore = value > old * (1 + tolerance) && value - old > (name.hasPrefix("latency") ? 1 : 0.01)
      let isWorse = isMore && !isSingle && Self.areApart(before, now, name)
      return Row(name: name, before: old, now: value, isWorse: isWorse)
    }
  }

  /// By more than chance: the intervals that both figures lie in do not meet, where there are such.
  private static func areApart(_ before: JSON, _ now: JSON, _ name: String) -> Bool {
    let path = name.split(separator: ".", maxSplits: 2).map(String.init)
    guard path.count == 3, path[0] == "latency_us" else { return true }
    let ends = [before, now].map { $0[path[0]]?[path[1]]?["confidence_95"]?[path[2]] }
    guard case .array(let old)? = ends[0], case .array(let new)? = ends[1] else { return true }
    // An end that is not known is far away.
    guard let high = old.last?.number, let low = new.first?.number else { return false }
    return low > high
  }

  var isWorse: Bool { rows.contains { $0.isWorse } }

  /// For people.
  var table: String {
    let lines = rows.map { row in
      let (before, now) = (JSON.number(row.before).description, JSON.number(row.now).description)
      return row.name.padded(to: 48) + before.rightAligned(to: 12) + " " + now.rightAligned(to: 12)
        + (row.isWorse ? "  worse" : "")
    }
    return (["".padded(to: 48) + "      before          now"] + lines).joined(separator: "\n") + "\n"
  }

  /// All numbers with their paths, such as `latency_us.driver_to_dequeue.p50`.
  private static func numbers(_ json: JSON, _ path: String = "") -> [(String, Double)] {
    if case .object(let members) = json {
      return members.flatMap { numbers($0.1, path.isEmpty ? $0.0 : "\(path).\($0.0)") }
    }
    return json.number.map { [(path, $0)] } ?? []
  }
}
