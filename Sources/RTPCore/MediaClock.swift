/// RTP's 90 kHz timestamps out of capture times.
public struct MediaClock: Sendable {
  /// Ticks a second (RFC 2435, 3).
  public static let rate = 90_000

  @usableFromInline let offset: UInt32
  /// The last frame's, in ticks since an instant of 0. In 64 bits, so that a pause of hours is no step back.
  @usableFromInline var last = Int64.min

  /// - Parameter offset: what an instant of 0 becomes; random by default (RFC 3550, 5.1).
  public init(offset: UInt32 = .random(in: 0 ... .max)) { self.offset = offset }

  /// The timestamp of an instant.
  /// - Parameter nanoseconds: CLOCK_MONOTONIC, of the capture.
  @inlinable
  public func timestamp(at nanoseconds: Int64) -> UInt32 {
    UInt32(truncatingIfNeeded: Self.ticks(at: nanoseconds)) &+ offset
  }

  /// A frame's timestamp: always after that of the frame before it. Receivers would take one that repeats for the same frame,
  /// and one that goes back for an old one.
  @inlinable
  public mutating func frameTimestamp(at nanoseconds: Int64) -> UInt32 {
    last = max(Self.ticks(at: nanoseconds), last &+ 1)
    return UInt32(truncatingIfNeeded: last) &+ offset
  }

  /// 90,000 / 10^9 is 9 / 100,000. The product is full after 64 years of uptime.
  @inlinable
  static func ticks(at nanoseconds: Int64) -> Int64 {
    Int64(bitPattern: UInt64(bitPattern: max(0, nanoseconds)) &* 9 / 100_000)
  }
}
