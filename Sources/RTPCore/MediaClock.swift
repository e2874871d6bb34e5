/// RTP's 90 kHz timestamps out of capture times.
public struct MediaClock: Sendable {
  /// Ticks a second (RFC 2435, 3).
  public static let rate = 90_000

  @usableFromInline let offset: UInt32
  /// The last frame's; with one bit more, so that there can be none.
  @usableFromInline var last = UInt64.max

  /// - Parameter offset: what an instant of 0 becomes; random by default (RFC 3550, 5.1).
  public init(offset: UInt32 = .random(in: 0 ... .max)) { self.offset = offset }

  /// The timestamp of an instant.
  /// - Parameter nanoseconds: CLOCK_MONOTONIC, of the capture.
  @inlinable
  public func timestamp(at nanoseconds: Int64) -> UInt32 {
    // 90,000 / 10^9 is 9 / 100,000. The product is full after 64 years of uptime.
    UInt32(truncatingIfNeeded: UInt64(bitPattern: nanoseconds) &* 9 / 100_000) &+ offset
  }

  /// A frame's timestamp: never that of the frame before it, which receivers would take for the same frame.
  @inlinable
  public mutating func frameTimestamp(at nanoseconds: Int64) -> UInt32 {
    var timestamp = timestamp(at: nanoseconds)
    if UInt64(timestamp) == last { timestamp &+= 1 }
    last = UInt64(timestamp)
    return timestamp
  }
}
