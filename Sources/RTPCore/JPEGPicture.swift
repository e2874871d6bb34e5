/// A camera's frame as it is sent: its header, and its scan where it lies.
public struct JPEGPicture {
  public let header: JPEGHeader
  /// From behind SOS to the end of EOI; without EOI where `isRepaired`.
  public let scan: UnsafeRawBufferPointer
  /// Its end is missing: what there is of the scan, without its EOI, which every receiver puts there.
  public let isRepaired: Bool
}

extension JPEGPicture {
  /// The JPEGs that stand behind each other in a file, of any kind, each from SOI to the end of its EOI. What is between
  /// them is passed over; one without EOI goes to the next SOI, or to the end.
  public static func ranges(in file: UnsafeRawBufferPointer) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var offset = 0
    while offset + 3 < file.count {
      // SOI and the marker behind it.
      guard file[offset] == 0xFF, file[offset + 1] == 0xD8, file[offset + 2] == 0xFF else {
        offset += 1
        continue
      }
      let end = end(of: file, from: offset)
      ranges.append(offset..<end)
      offset = end
    }
    return ranges
  }

  /// The end of the JPEG that begins at `start`: segments, scans, segments again where it is progressive.
  private static func end(of file: UnsafeRawBufferPointer, from start: Int) -> Int {
    var offset = start + 2
    while let scan = JPEGHeader.scanOffset(in: file, from: offset) {
      switch ScanEnd(of: file, from: scan) {
      case .eoi(let end): return end
      case .cut(let end):
        if end + 1 >= file.count || file[end + 1] == 0xD8 { return end }
        offset = end
      }
    }
    // No scan in it: up to the next SOI.
    var end = start + 2
    while end + 2 < file.count {
      if file[end] == 0xFF, file[end + 1] == 0xD8, file[end + 2] == 0xFF { return end }
      end += 1
    }
    return file.count
  }
}
