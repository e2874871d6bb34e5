import Synchronization

/// How much of a frame has arrived in a buffer that a driver is still filling.
///
/// The buffer was wiped with a sentinel; data has arrived up to the first word that is still the sentinel, less one word:
/// a payload can end inside that one. A word further ahead can be half there, too: where one payload ends and the next
/// begins, and the copy of the next, on another CPU, overtakes it (uvcvideo copies payloads side by side), or its stores
/// do (arm64). So what is seen counts only when it was seen on the visit before: visits have to be further apart than a
/// payload's copy takes, some microseconds.
public struct Arrival {
  /// Words are counted from the start of what was wiped, wherever that lies: a word that is read in two halves is as one
  /// that was written in two.
  private let bytes: UnsafeRawBufferPointer
  private let sentinel: UInt64
  /// Whole words from the start that are no longer the sentinel.
  private var words = 0
  /// Bytes from the start that are there, by the last visit alone.
  public private(set) var seen = 0
  /// Bytes from the start that are there for sure: they were seen on the last visit and on the one before.
  public private(set) var confirmed = 0

  /// Wipes a buffer that a driver does not have yet.
  /// - Parameter bytes: as much of it as the next frame may fill, valid as long as this is visited. What lies behind is
  ///   never told to have arrived, nor are the last 8 to 15 bytes.
  public init(wiping bytes: UnsafeMutableRawBufferPointer, with sentinel: Sentinel) {
    sentinel.wipe(bytes)
    self.bytes = UnsafeRawBufferPointer(bytes)
    self.sentinel = sentinel.word
  }

  /// Looks what has come since the last visit; only that is read.
  /// - Returns: all bytes that are there for sure.
  public mutating func visit() -> UnsafeRawBufferPointer {
    confirmed = seen
    words = firstSentinel(from: words)
    seen = max(0, words &- 1) &* 8
    return UnsafeRawBufferPointer(rebasing: bytes[..<confirmed])
  }

  /// The first word that is the sentinel, or how many words there are. All words before it are read.
  ///
  /// The memory is changed by others. Swift has no volatile reads, and its relaxed atomic ones are of single words, which
  /// takes more than twice as long. But a function that is not inlined knows nothing of the memory that it is given, so
  /// each visit reads; and the fence (an instruction on arm64, for the compiler alone on x86) keeps what is read of the
  /// data later from being older than what was read here.
  @inline(never)
  private func firstSentinel(from first: Int) -> Int {
    guard let start = bytes.baseAddress else { return 0 }
    let count = bytes.count / 8
    var word = first
    search: while word < count {
      word = Self.passOver(start, from: word, to: count, sentinel)
      // A word like it is in this block, or the words end.
      let stop = min(word &+ Self.block, count)
      while word < stop {
        if start.loadUnaligned(fromByteOffset: word &* 8, as: UInt64.self) == sentinel { break search }
        word &+= 1
      }
    }
    atomicMemoryFence(ordering: .acquiring)
    return word
  }

  /// Words of 64 bytes.
  private static let block = 8

  /// Passes over blocks that have no word of which a half is as the sentinel's: SSE 2 compares no more at once.
  /// - Returns: the first word of the first block that is not passed over.
  @inline(__always)
  private static func passOver(_ start: UnsafeRawPointer, from first: Int, to count: Int, _ sentinel: UInt64) -> Int {
    let wanted = unsafeBitCast(SIMD2(repeating: sentinel), to: Vector.self)
    var left = (count &- first) / block
    var place = start + first &* 8
    while left > 0 {
      var found = Vector.zero
      for part in 0..<4 {
        let here = place.loadUnaligned(fromByteOffset: part &* 16, as: Vector.self)
        found |= unsafeBitCast(here .== wanted, to: Vector.self)
      }
      let halves = unsafeBitCast(found, to: SIMD2<UInt64>.self)
      guard halves[0] | halves[1] == 0 else { break }
      place += 64
      left &-= 1
    }
    return (place - start) / 8
  }

  private typealias Vector = SIMD4<UInt32>
}
