/// A time as a code of bars that machines read in a picture: milliseconds since 1970 (UTC), modulo 2^24, which is 4.6
/// hours.
///
/// A white margin, a wide bar and a space, the bits, another wide bar, a margin. A bit is a bar and a space of 3 modules
/// together: a 1 has 2 of them black, a 0 has 1. So each bit has its own scale beside it, and all that tells a 1 from a
/// 0 is whether the middle third is black. The wide bars differ, and so do the ways to read it.
///
/// The bits are: how many zeros the time has (5), the time (24), its CRC (8), the highest bits first. A display that
/// changes while a camera exposes lays two times over each other, of which the bars that both have, or those that one
/// has, come out. The zeros tell: where bars get lost the time has more zeros, and their number can only become less
/// (J. M. Berger, "A note on error detection codes for asymmetric channels", 1961). The CRC finds what is spliced: no
/// two times that differ within 8 bits make a third.
struct TimeCode: Equatable, Sendable {
  /// Modulo 2^24.
  let milliseconds: UInt32

  // In modules.
  static let margin = 3
  static let startBar = 5
  static let startSpace = 2
  static let bitWidth = 3
  static let endBar = 3
  /// All of it, with its margins.
  static let width = margin + startBar + startSpace + bitWidth * bitCount + endBar + margin

  static let timeBits = 24
  static let bitCount = 5 + timeBits + 8
  /// CRC-8/AUTOSAR's: x^8 + x^5 + x^3 + x^2 + x + 1. It begins with 0xFF.
  static let polynomial: UInt32 = 0x2F

  /// - Parameter instant: nanoseconds since 1970.
  init(at instant: Int64) {
    milliseconds = UInt32(truncatingIfNeeded: instant / 1_000_000) & (1 << Self.timeBits - 1)
  }

  /// What was read; nil where it contradicts itself.
  init?(bits: UInt64) {
    milliseconds = UInt32(truncatingIfNeeded: bits >> 8) & (1 << Self.timeBits - 1)
    guard self.bits == bits else { return nil }
  }

  /// The highest of `bitCount` bits stands first.
  var bits: UInt64 {
    var (zeros, rest) = (UInt32(0), UInt32(0xFF))
    for place in (0..<Self.timeBits).reversed() {
      let bit = milliseconds >> UInt32(place) & 1
      zeros += 1 - bit
      rest = (rest << 1 & 0xFF) ^ (rest >> 7 ^ bit) * Self.polynomial
    }
    return UInt64(zeros) << 32 | UInt64(milliseconds) << 8 | UInt64(rest)
  }

  /// The black bars: where each begins, and its width, in modules.
  @inline(__always)
  func forEachBar(_ body: (_ start: Int, _ width: Int) -> Void) {
    let bits = bits
    body(Self.margin, Self.startBar)
    var start = Self.margin + Self.startBar + Self.startSpace
    for place in (0..<Self.bitCount).reversed() {
      body(start, bits >> UInt64(place) & 1 == 1 ? 2 : 1)
      start += Self.bitWidth
    }
    body(start, Self.endBar)
  }

  /// How old it is, in nanoseconds; less than 0: it is of the future. Of all the times that it can mean it is the
  /// nearest one.
  /// - Parameter now: nanoseconds since 1970.
  func age(at now: Int64) -> Int64 {
    let distance = UInt32(truncatingIfNeeded: now / 1_000_000) &- milliseconds
    let nearest = Int32(bitPattern: distance << UInt32(32 - Self.timeBits)) >> Int32(32 - Self.timeBits)
    return Int64(nearest) * 1_000_000 + now % 1_000_000
  }
}
