/// A raw picture in a camera's memory, as the encoder reads it: some pointers. A `RawLayout` makes it.
public struct RawPicture {
  /// One plane.
  struct Plane {
    let start: UnsafePointer<UInt8>?
    /// Bytes from line to line.
    let stride: Int
    /// The first lines, all of whose bytes are there.
    let lines: Int

    /// A plane that the format does not have.
    init() { (start, stride, lines) = (nil, 0, 0) }

    init(_ memory: UnsafeRawBufferPointer, _ place: RawLayout.Place, lineBytes: Int, lines: Int) {
      start = memory.baseAddress.map { ($0 + place.offset).assumingMemoryBound(to: UInt8.self) }
      stride = place.stride
      let room = memory.count - place.offset - lineBytes
      self.lines = start == nil || room < 0 ? 0 : min(lines, room / place.stride + 1)
    }
  }

  let planes: (Plane, Plane, Plane)
  /// No line is missing.
  public let isWhole: Bool
}
