/// Where the entropy-coded bytes of a scan end (ITU-T T.81, B.1.1.5): a byte of 0xFF among them is followed by 0
/// (stuffed), by RSTn, or by another (fill bytes).
///
/// All of it is looked at: an EOI at the very end of a camera's buffer can be that of junk, an older frame's rest, behind
/// the picture's own.
enum ScanEnd: Equatable {
  /// Behind EOI.
  case eoi(Int)
  /// Without EOI: at the end of the bytes, without half a marker, or at a marker that has no place in a scan.
  case cut(Int)

  private typealias Block = SIMD16<UInt8>

  init(of bytes: UnsafeRawBufferPointer, from start: Int) {
    var offset = start
    let marks = Block(repeating: 0xFF)
    while offset < bytes.count {
      while offset + 16 <= bytes.count,
        !any(bytes.loadUnaligned(fromByteOffset: offset, as: Block.self) .== marks)
      { offset += 16 }
      let stop = min(offset + 16, bytes.count)
      while offset < stop {
        guard bytes[offset] == 0xFF else {
          offset += 1
          continue
        }
        guard offset + 1 < bytes.count else {
          self = .cut(offset)
          return
        }
        switch bytes[offset + 1] {
        case 0x00, 0xD0...0xD7: offset += 2
        case 0xFF: offset += 1
        case 0xD9:
          self = .eoi(offset + 2)
          return
        default:
          self = .cut(offset)
          return
        }
      }
    }
    self = .cut(bytes.count)
  }
}
