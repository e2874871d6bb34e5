/// RTP's 90 kHz timestamps out of capture times.
public struct MediaClock: Sendable {
  /// Ticks a second (RFC 2435, 3).
  public static let rate = 90_000

  private let offset: UInt32
  private var last: UInt32?

  /// - Parameter offset: what an instant of 0 becomes; random by default (RFC 3550, 5.1).
  public init(offset: UInt32 = .random(in: 0 ... .max)) { self.offset = offset }

  /// The timestamp of an instant.
  /// - Parameter nanoseconds: CLOCK_MONOTONIC, of the capture.
  public func timestamp(at nanoseconds: Int64) -> UInt32 {
    // 90,000 / 10^9 is 9 / 100,000; in two parts, so that nothing overflows.
    let (whole, part) = nanoseconds.quotientAndRemainder(dividingBy: 100_000)
    return UInt32(truncatingIfNeeded: whole &* 9 &+ part &* 9 / 100_000) &+ offset
  }

  /// A frame's timestamp: never that of the frame before it, which receivers would take for the same frame.
  public mutating func frameTimestamp(at nanoseconds: Int64) -> UInt32 {
    var timestamp = timestamp(at: nanoseconds)
    if timestamp == last { timestamp &+= 1 }
    last = timestamp
    return timestamp
  }
}
