/// Whether a frame's end can be taken from its last bytes, without looking at all of its scan: the cheap check, for a
/// camera that was seen to leave nothing behind its pictures.
///
/// An EOI at the very end can be that of junk, most often an older frame's rest, or that of a frame in front of which the
/// beginning of a lost one stands. So a frame is searched when the camera
/// is new, when it ever left something before or after a picture, when it is larger than the one before by more than a 16th,
/// when it ends like one of the last frames, and now and then.
struct TailCheck {
  private typealias Tails = SIMD16<UInt32>

  /// What the last frames ended with, before their EOI: 16 bytes in 32 bits.
  private var tails = Tails()
  private var next = 0
  /// Frames since the last one that was searched.
  private var trusted = 0
  /// Frames that were searched, up to those that it takes.
  private var searched = 0
  private var hasJunk = false
  private var lastSize = 0

  /// So many frames are searched before one is trusted, and so many tails are known.
  private static let enough = 16
  /// So many are trusted before one is searched again.
  private static let mostTrusted = 31

  /// Whether the frame's EOI is its last two bytes, as far as can be told from them.
  /// - Parameter start: where its scan begins.
  @inline(__always)
  mutating func isTrusted(_ frame: UnsafeRawBufferPointer, from start: Int) -> Bool {
    let size = frame.count
    guard size &- start >= 64, frame[size &- 2] == 0xFF, frame[size &- 1] == 0xD9 else { return false }
    let isKnown = remember(
      frame.loadUnaligned(fromByteOffset: size &- 18, as: UInt64.self),
      frame.loadUnaligned(fromByteOffset: size &- 10, as: UInt64.self))
    defer { lastSize = size }
    guard !hasJunk, !isKnown, searched == Self.enough, trusted < Self.mostTrusted, size <= lastSize &+ lastSize / 16
    else {
      return false
    }
    trusted &+= 1
    return true
  }

  /// A frame was searched.
  /// - Parameter isJunk: there was something behind its EOI.
  mutating func learn(isJunk: Bool) {
    hasJunk = hasJunk || isJunk
    trusted = 0
    searched = min(searched + 1, Self.enough)
  }

  /// - Returns: whether one of the last frames ended so.
  @inline(__always)
  private mutating func remember(_ one: UInt64, _ other: UInt64) -> Bool {
    // Any mixing will do: a false alarm costs a search.
    let mixed = (one ^ other &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
    let name = UInt32(truncatingIfNeeded: mixed >> 32)
    let same = unsafeBitCast(tails .== Tails(repeating: name), to: SIMD8<UInt64>.self)
    tails[next] = name
    next = (next &+ 1) & (Self.enough - 1)
    return !same.isZero
  }
}
