/// A camera's frame as it is sent: its header, and its scan where it lies.
public struct JPEGPicture {
  public let header: JPEGHeader
  /// From behind SOS to the end of EOI.
  public let scan: UnsafeRawBufferPointer

  /// Reads a frame in place.
  /// - Parameter frame: all that the camera gave; what follows EOI is left out.
  public init(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) {
    header = try JPEGHeader(frame)
    guard let end = Self.end(of: frame, from: header.scanOffset) else { throw .noEOI }
    scan = UnsafeRawBufferPointer(rebasing: frame[header.scanOffset..<end])
  }

  /// The JPEGs that stand behind each other in a file, each from SOI to the end of its EOI; what is between them is
  /// passed over, and a last one without EOI goes to the end.
  public static func ranges(in file: UnsafeRawBufferPointer) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var offset = 0
    while offset + 3 < file.count {
      // SOI and the marker behind it.
      guard file[offset] == 0xFF, file[offset + 1] == 0xD8, file[offset + 2] == 0xFF else {
        offset += 1
        continue
      }
      let rest = UnsafeRawBufferPointer(rebasing: file[offset...])
      let scan = JPEGHeader.scanOffset(in: rest) ?? 2
      let end = offset + (firstEOI(in: rest, from: scan) ?? rest.count)
      ranges.append(offset..<end)
      offset = end
    }
    return ranges
  }

  /// Where the picture ends, behind EOI.
  private static func end(of frame: UnsafeRawBufferPointer, from start: Int) -> Int? {
    // Nearly every camera's frame ends with its EOI.
    let tail = frame.count - 2
    if tail >= start, frame[tail] == 0xFF, frame[tail + 1] == 0xD9 { return frame.count }
    return firstEOI(in: frame, from: start)
  }

  /// The first EOI of a scan: entropy-coded bytes of 0xFF are followed by 0 (stuffed), RSTn or fill bytes.
  private static func firstEOI(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var offset = start
    while offset + 1 < bytes.count {
      // Eight bytes at once: a byte of 0xFF is a byte of 0 in the complement.
      while offset + 8 <= bytes.count {
        let word = ~bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { break }
        offset += 8
      }
      let stop = min(offset + 8, bytes.count - 1)
      while offset < stop {
        if bytes[offset] == 0xFF, bytes[offset + 1] == 0xD9 { return offset + 2 }
        offset += 1
      }
    }
    return nil
  }
}
