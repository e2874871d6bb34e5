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
      let isWorse = !isSingle && value > old * (1 + tolerance) && value - old > (name.hasPrefix("latency") ? 1 : 0.01)
      return Row(name: name, before: old, now: value, isWorse: isWorse)
    }
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
    switch json {
    case .number(let value): [(path, value)]
    case .integer(let value): [(path, Double(value))]
    case .object(let members): members.flatMap { numbers($0.1, path.isEmpty ? $0.0 : "\(path).\($0.0)") }
    default: []
    }
  }
}
