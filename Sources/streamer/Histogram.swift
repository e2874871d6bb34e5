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

  /// As many as before the first one.
  mutating func reset() {
    buckets.update(repeating: 0, count: Self.size)
    count = 0
    min = .max
    max = 0
  }

  /// What was counted so far, for other threads.
  var distribution: Distribution {
    var steps: [Distribution.Step] = []
    for index in 0..<Self.size where buckets[index] > 0 {
      let value = Swift.min(Swift.max(Self.middle(of: index), min), max)
      steps.append(.init(value: value, count: UInt64(buckets[index])))
    }
    return Distribution(steps: steps, min: count == 0 ? 0 : min, max: max, count: count)
  }

  /// In microseconds, for programs.
  var json: JSON { distribution.json }

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
