/// An instant of the wall clock as RTCP writes it (RFC 3550, 4): seconds since 1900, in 32 bits and a fraction of 32.
public struct NTPTime: Equatable, Sendable {
  public let value: UInt64

  /// From 1900 to 1970, in seconds.
  private static let unixEpoch: UInt32 = 2_208_988_800

  public init(value: UInt64) { self.value = value }

  /// - Parameter nanoseconds: since 1970 (CLOCK_REALTIME).
  public init(unixNanoseconds nanoseconds: Int64) {
    let seconds = UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000) &+ Self.unixEpoch
    let fraction = (UInt64(max(0, nanoseconds % 1_000_000_000)) << 32) / 1_000_000_000
    value = UInt64(seconds) << 32 | fraction
  }

  /// Nanoseconds since 1970. The seconds' 32 bits are full in 2036; small ones are of the time after that (RFC 4330, 3).
  public var unixNanoseconds: Int64 {
    let seconds = Int64(value >> 32) + (value >> 63 == 0 ? 1 << 32 : 0) - Int64(Self.unixEpoch)
    return seconds * 1_000_000_000 + Int64(((value & 0xFFFF_FFFF) * 1_000_000_000) >> 32)
  }

  /// The middle 32 bits, in 1/65536 s: how a report names the one that it answers (RFC 3550, 6.4.1).
  public var middle: UInt32 { UInt32(truncatingIfNeeded: value >> 16) }
}
