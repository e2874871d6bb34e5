/// Counts of durations in buckets that grow with the value (log-linear, as HdrHistogram has them): a fixed size, no
/// allocation, and an error of under 1 %.
public struct Histogram: ~Copyable {
  private let buckets: UnsafeMutablePointer<UInt32>
  /// How many durations were counted.
  public private(set) var count: UInt64 = 0
  /// Nanoseconds; UInt64.max where nothing was counted.
  public private(set) var min = UInt64.max
  /// Nanoseconds.
  public private(set) var max: UInt64 = 0

  /// Buckets for each power of two, in bits: a value's highest 7 bits name its bucket.
  private static let bits = 6
  /// Nanoseconds: some 18 minutes. What is longer counts as this.
  private static let largest: UInt64 = 1 << 40 - 1
  private static let size = index(of: largest) + 1

  public init() {
    buckets = .allocate(capacity: Self.size)
    buckets.initialize(repeating: 0, count: Self.size)
  }

  deinit { buckets.deallocate() }

  /// Counts a duration; a negative one as 0.
  /// - Parameter nanoseconds: the duration.
  public mutating func record(_ nanoseconds: Int64) {
    let value = Swift.min(UInt64(Swift.max(0, nanoseconds)), Self.largest)
    buckets[Self.index(of: value)] &+= 1
    count &+= 1
    min = Swift.min(min, value)
    max = Swift.max(max, value)
  }

  /// As many as before the first one.
  public mutating func reset() {
    buckets.update(repeating: 0, count: Self.size)
    count = 0
    min = .max
    max = 0
  }

  /// Adds all that another one counted.
  public mutating func merge(_ other: borrowing Histogram) {
    for index in 0..<Self.size { buckets[index] &+= other.buckets[index] }
    count &+= other.count
    min = Swift.min(min, other.min)
    max = Swift.max(max, other.max)
  }

  /// What was counted so far, for other threads.
  public var distribution: Distribution {
    var steps: [Distribution.Step] = []
    for index in 0..<Self.size where buckets[index] > 0 {
      let value = Swift.min(Swift.max(Self.middle(of: index), min), max)
      steps.append(.init(value: value, count: UInt64(buckets[index])))
    }
    return Distribution(steps: steps, min: count == 0 ? 0 : min, max: max, count: count)
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
