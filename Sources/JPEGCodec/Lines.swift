/// What is done to a line of samples. Plain loops that the compiler makes vector code of: no line is changed in place, as
/// that would hinder it.
enum Lines {
  typealias Line = UnsafePointer<UInt8>
  typealias Room = UnsafeMutablePointer<UInt8>

  /// Every second of `2 * count` bytes, from the first or from the second on.
  @inline(__always)
  static func pick(_ line: Line, second: Bool, count: Int, into room: Room) {
    let shift: UInt16 = second ? 8 : 0
    let line = UnsafeRawPointer(line)
    for x in 0..<count {
      let pair = line.loadUnaligned(fromByteOffset: x &* 2, as: UInt16.self).littleEndian
      room[x] = UInt8(truncatingIfNeeded: pair &>> shift)
    }
  }

  /// `2 * count` bytes, dealt out in turn.
  @inline(__always)
  static func split(_ line: Line, count: Int, into first: Room, _ second: Room) {
    let line = UnsafeRawPointer(line)
    for x in 0..<count {
      let pair = line.loadUnaligned(fromByteOffset: x &* 2, as: UInt16.self).littleEndian
      first[x] = UInt8(truncatingIfNeeded: pair)
      second[x] = UInt8(truncatingIfNeeded: pair &>> 8)
    }
  }

  /// The upper bytes of `count` samples of two bytes, rounded.
  @inline(__always)
  static func narrow(_ line: Line, count: Int, into room: Room) {
    let line = UnsafeRawPointer(line)
    for x in 0..<count {
      let sample = line.loadUnaligned(fromByteOffset: x &* 2, as: UInt16.self).littleEndian
      room[x] = UInt8(truncatingIfNeeded: (min(sample, 0xFF7F) &+ 0x80) &>> 8)
    }
  }

  /// Halves the width of two lines, and makes one of them: the mean of four samples each. The last of an odd width stands
  /// twice.
  @inline(__always)
  static func halve(_ line: Line, _ other: Line, width: Int, into room: Room) {
    let (line, other) = (UnsafeRawPointer(line), UnsafeRawPointer(other))
    @inline(__always) func sum(_ line: UnsafeRawPointer, _ x: Int) -> UInt16 {
      let pair = line.loadUnaligned(fromByteOffset: x &* 2, as: UInt16.self)
      return (pair & 0xFF) &+ (pair &>> 8)
    }
    for x in 0..<width / 2 { room[x] = UInt8(truncatingIfNeeded: (sum(line, x) &+ sum(other, x) &+ 2) &>> 2) }
    guard width % 2 == 1 else { return }
    let last =
      UInt16(line.load(fromByteOffset: width - 1, as: UInt8.self))
      + UInt16(other.load(fromByteOffset: width - 1, as: UInt8.self))
    room[width / 2] = UInt8(truncatingIfNeeded: (last &+ 1) &>> 1)
  }

  /// The same with lines of pairs, dealt out in turn.
  @inline(__always)
  static func halvePairs(_ line: Line, _ other: Line, width: Int, into first: Room, _ second: Room) {
    let (line, other) = (UnsafeRawPointer(line), UnsafeRawPointer(other))
    for x in 0..<width / 2 {
      let above = line.loadUnaligned(fromByteOffset: x &* 4, as: UInt32.self).littleEndian
      let below = other.loadUnaligned(fromByteOffset: x &* 4, as: UInt32.self).littleEndian
      // Sums of two, side by side.
      let firsts = (above & 0xFF_00FF) &+ (below & 0xFF_00FF)
      let seconds = (above &>> 8 & 0xFF_00FF) &+ (below &>> 8 & 0xFF_00FF)
      first[x] = UInt8(truncatingIfNeeded: ((firsts & 0xFFFF) &+ (firsts &>> 16) &+ 2) &>> 2)
      second[x] = UInt8(truncatingIfNeeded: ((seconds & 0xFFFF) &+ (seconds &>> 16) &+ 2) &>> 2)
    }
    guard width % 2 == 1 else { return }
    @inline(__always) func last(_ offset: Int) -> UInt8 {
      let place = 2 * (width - 1) + offset
      let sum =
        UInt16(line.load(fromByteOffset: place, as: UInt8.self))
        + UInt16(other.load(fromByteOffset: place, as: UInt8.self))
      return UInt8(truncatingIfNeeded: (sum &+ 1) &>> 1)
    }
    (first[width / 2], second[width / 2]) = (last(0), last(1))
  }

  /// The mean of two lines, rounded up.
  @inline(__always)
  static func average(_ line: Line, _ other: Line, count: Int, into room: Room) {
    for x in 0..<count {
      room[x] = UInt8(truncatingIfNeeded: (UInt16(line[x]) &+ UInt16(other[x]) &+ 1) &>> 1)
    }
  }
}
