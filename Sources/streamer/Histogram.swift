/// Counts of durations in buckets that grow with the value (log-linear, as HdrHistogram has them): a fixed size, no
/// allocation, and an error of under 1 %.
struct Histogram: ~Copyable {
  private let buckets: UnsafeMutablePointer<UInt32>
  private(set) var count: UInt64 = 0
  private(set) var min = UInt64.max
  private(set) var max: UInt64 = 0

  /// Buckets for each power of two, in bits: a value's highest 8 bits name its bucket.
  private static let bits = 7
  /// Nanoseconds: some 18 minutes. What is longer counts as this.
  private static let largest: UInt64 = 1 << 40 - 1
  private static let size = index(of: largest) + 1

  init() {
    buckets = .allocate(capacity: Self.size)
    buckets.initialize(repeating: 0, count: Self.size)
  }

  deinit { buckets.deallocate() }

  /// Counts a duration; a negative one as 0.
  /// - Parameter nanoseconds: the duration.
  @inline(__always)
  mutating func record(_ nanoseconds: Int64) {
    let value = Swift.min(UInt64(Swift.max(0, nanoseconds)), Self.largest)
    buckets[Self.index(of: value)] &+= 1
    count += 1
    min = Swift.min(min, value)
    max = Swift.max(max, value)
  }

  /// The duration that a part of all do not exceed, in nanoseconds; 0 where there are none.
  /// - Parameter part: such as 0.99.
  func percentile(_ part: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let rank = Swift.max(1, UInt64((part * Double(count)).rounded(.up)))
    if rank >= count { return max }
    var seen: UInt64 = 0
    for index in 0..<Self.size {
      seen += UInt64(buckets[index])
      if seen >= rank { return Swift.min(Swift.max(Self.middle(of: index), min), max) }
    }
    return max
  }

  /// In microseconds, for programs.
  var json: JSON {
    let parts: [(String, Double)] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)]
    let values = parts.map { ($0.0, JSON.number(Double(percentile($0.1)) / 1000)) }
    return .object(
      [("min", .number(Double(count == 0 ? 0 : min) / 1000))] + values + [("max", .number(Double(max) / 1000))])
  }

  private static func index(of value: UInt64) -> Int {
    let shift = Swift.max(0, 63 - value.leadingZeroBitCount - bits)
    return shift << bits + Int(value >> UInt64(shift))
  }

  private static func middle(of index: Int) -> UInt64 {
    let shift = UInt64(Swift.max(0, index >> bits - 1))
    let start = UInt64(index) - shift << UInt64(bits)
    return start << shift + (1 << shift) / 2
  }
}
