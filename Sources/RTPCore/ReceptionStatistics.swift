/// What a receiver knows of one source from its packets' numbers and times (RFC 3550, Appendix A.1, A.3 and A.8).
public struct ReceptionStatistics: Sendable {
  /// Packets, with duplicates.
  public private(set) var packets: UInt64 = 0
  /// UDP payload, in bytes.
  public private(set) var bytes: UInt64 = 0
  /// Packets that came after one of a higher number.
  public private(set) var reordered: UInt64 = 0
  public private(set) var duplicates: UInt64 = 0

  private var isStarted = false
  private var highest: UInt64 = 0
  private var base: UInt64 = 0
  /// Packets expected and received of sources that ended.
  private var lostBefore: UInt64 = 0
  /// Which of the 64 packets up to `highest` came; bit 0 is `highest`.
  private var window: UInt64 = 0
  private var distinct: UInt64 = 0
  /// `lost`, at the last packet that came in order.
  private var lostInOrder: UInt64 = 0
  /// Packets of this source, with duplicates.
  private(set) var received: UInt64 = 0
  private var lastTransit: Int64?
  /// In timestamp units, times 16 (A.8).
  private var scaledJitter: Int64 = 0

  public init() {}

  /// What a packet's number says of it.
  public enum Verdict: Sendable { case new, duplicate }

  /// Counts a packet.
  /// - Parameter arrival: CLOCK_MONOTONIC in nanoseconds.
  public mutating func record(_ header: RTPHeader, size: Int, arrival: Int64) -> Verdict {
    packets += 1
    received += 1
    bytes += UInt64(size)
    defer { updateJitter(header.timestamp, arrival) }
    guard isStarted else {
      isStarted = true
      // One round up: a packet from before the first can be counted, too.
      base = 0x1_0000 + UInt64(header.sequence)
      highest = base
      window = 1
      distinct += 1
      return .new
    }
    let distance = Int64(Int16(bitPattern: header.sequence &- UInt16(truncatingIfNeeded: highest)))
    if distance > 0 {
      window = distance < 64 ? window << UInt64(distance) | 1 : 1
      highest += UInt64(distance)
      distinct += 1
      lostInOrder = lost
      return .new
    }
    let bit: UInt64 = -distance < 64 ? 1 << UInt64(-distance) : 0
    if window & bit != 0 {
      duplicates += 1
      return .duplicate
    }
    window |= bit
    reordered += 1
    base = min(base, highest - UInt64(-distance))
    distinct += 1
    return .new
  }

  /// A sequence number next to the highest one, with the rounds of 65,536 above it.
  func extended(_ sequence: UInt16) -> Int {
    Int(highest) + Int(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
  }

  /// Begins with other sequence numbers; what was counted stays.
  /// - Parameter wasLate: packets of the new stream were taken for late ones, since the last that came in order.
  public mutating func restart(wasLate: Bool = false) {
    lostBefore = wasLate ? lostInOrder : lost
    lostInOrder = lostBefore
    distinct = 0
    received = 0
    isStarted = false
    lastTransit = nil
  }

  /// Packets that were sent and did not come.
  public var lost: UInt64 {
    lostBefore + (expected > distinct ? expected - distinct : 0)
  }

  /// Packets of this source from the first to the highest number.
  var expected: UInt64 { isStarted ? highest - base + 1 : 0 }

  /// The highest number of this source, with the rounds of 65,536 above it, as reports have it.
  var highestSequence: UInt32 { isStarted ? UInt32(truncatingIfNeeded: highest - 0x1_0000) : 0 }

  /// Interarrival jitter, in timestamp units.
  var jitter: UInt32 { UInt32(clamping: scaledJitter >> 4) }

  /// Interarrival jitter, in microseconds.
  public var jitterMicroseconds: Double { Double(scaledJitter) / 16 * 1e6 / Double(MediaClock.rate) }

  private mutating func updateJitter(_ timestamp: UInt32, _ arrival: Int64) {
    let now = MediaClock(offset: 0).timestamp(at: arrival)
    let transit = Int64(Int32(bitPattern: now &- timestamp))
    if let lastTransit {
      // The difference of two 32-bit clocks, whatever their offsets.
      let change = Int64(Int32(truncatingIfNeeded: transit &- lastTransit)).magnitude
      scaledJitter += Int64(change) - (scaledJitter + 8) >> 4
    }
    lastTransit = transit
  }
}
