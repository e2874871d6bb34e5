/// Durations that were counted: a histogram at rest.
struct Distribution: Sendable, Equatable {
  /// So many durations of one value, in nanoseconds, within 1 %.
  struct Step: Sendable, Equatable {
    let value: UInt64
    let count: UInt64
  }

  /// By their values.
  let steps: [Step]
  /// Nanoseconds; 0 where there are none.
  let min: UInt64
  let max: UInt64
  let count: UInt64

  /// What is said of one.
  static let parts: [(name: String, part: Double)] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)]

  /// The duration that a part of all do not exceed, in nanoseconds; 0 where there are none.
  /// - Parameter part: such as 0.99.
  func percentile(_ part: Double) -> UInt64 {
    let rank = Swift.max(1, UInt64((part * Double(count)).rounded(.up)))
    if rank >= count { return max }
    var seen: UInt64 = 0
    for step in steps {
      seen += step.count
      if seen >= rank { return step.value }
    }
    return max
  }

  /// The mean, and the standard deviation, in nanoseconds.
  var spread: (mean: Double, deviation: Double) {
    guard count > 0 else { return (0, 0) }
    let sum = steps.reduce(0.0) { $0 + Double($1.value) * Double($1.count) }
    let mean = sum / Double(count)
    let squares = steps.reduce(0.0) { $0 + (Double($1.value) - mean) * (Double($1.value) - mean) * Double($1.count) }
    return (mean, (squares / Double(count)).squareRoot())
  }

  /// In microseconds, for programs.
  var json: JSON {
    let values = Self.parts.map { ($0.name, JSON.number(Double(percentile($0.part)) / 1000)) }
    return .object([("min", .number(Double(min) / 1000))] + values + [("max", .number(Double(max) / 1000))])
  }
}
