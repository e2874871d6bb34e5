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

  /// The mean of two lines, rounded up.
  @inline(__always)
  static func average(_ line: Line, _ other: Line, count: Int, into room: Room) {
    for x in 0..<count {
      room[x] = UInt8(truncatingIfNeeded: (UInt16(line[x]) &+ UInt16(other[x]) &+ 1) &>> 1)
    }
  }
}
