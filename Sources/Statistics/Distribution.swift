/// Durations that were counted: a histogram at rest.
public struct Distribution: Sendable, Equatable {
  /// So many durations of one value, in nanoseconds, within 1 %.
  public struct Step: Sendable, Equatable {
    public let value: UInt64
    public let count: UInt64
  }

  /// By their values.
  public let steps: [Step]
  /// Nanoseconds; 0 where there are none.
  public let min: UInt64
  /// Nanoseconds.
  public let max: UInt64
  public let count: UInt64

  /// What is said of one.
  public static let parts: [(name: String, part: Double)] = [
    ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999),
  ]

  /// The duration that a part of all do not exceed, in nanoseconds; 0 where there are none.
  /// - Parameter part: such as 0.99.
  public func percentile(_ part: Double) -> UInt64 {
    value(ofRank: Swift.max(1, UInt64((part * Double(count)).rounded(.up))))
  }

  /// Where that percentile lies with a confidence of 95 %, in nanoseconds: the bootstrap's interval. How many of the values of
  /// a sample drawn anew are below one of the old ones is binomial, so the ranks at its ends are known without drawing.
  /// - Returns: `high` is nil where there are too few durations to tell.
  public func interval(_ part: Double) -> (low: UInt64, high: UInt64?) {
    let middle = part * Double(count)
    let reach = 1.96 * (middle * (1 - part)).squareRoot()
    let low = Swift.max(1, (middle - reach).rounded(.down))
    let high = (middle + reach).rounded(.up) + 1
    return (value(ofRank: UInt64(low)), high > Double(count) ? nil : value(ofRank: UInt64(high)))
  }

  /// The value that so many do not exceed, from 1 on.
  private func value(ofRank rank: UInt64) -> UInt64 {
    if rank >= count { return max }
    var seen: UInt64 = 0
    for step in steps {
      seen += step.count
      if seen >= rank { return step.value }
    }
    return max
  }

  /// The mean, and the standard deviation, in nanoseconds.
  public var spread: (mean: Double, deviation: Double) {
    guard count > 0 else { return (0, 0) }
    let sum = steps.reduce(0.0) { $0 + Double($1.value) * Double($1.count) }
    let mean = sum / Double(count)
    let squares = steps.reduce(0.0) { $0 + (Double($1.value) - mean) * (Double($1.value) - mean) * Double($1.count) }
    return (mean, (squares / Double(count)).squareRoot())
  }

  /// Of intervals between beats: how many beats were left out, by those that are some times as long as the usual one, the
  /// median.
  public var missingBeats: UInt64 {
    let usual = Double(percentile(0.5))
    guard usual > 0 else { return 0 }
    return steps.reduce(0) { sum, step in
      sum + step.count * (UInt64(Swift.max(1, (Double(step.value) / usual).rounded())) - 1)
    }
  }
}
