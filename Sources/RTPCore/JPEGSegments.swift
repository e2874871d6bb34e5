/// The marker segments of a JPEG (ITU-T T.81, B.1.1), read as decoders read them: what stands between two segments is
/// skipped up to the next marker, and a length that can't be is taken for an empty segment's.
struct JPEGSegments {
  enum Item {
    /// A segment that has a length: its marker, and its body after the length.
    case segment(UInt8, ByteReader)
    /// SOI, and where it begins.
    case soi(Int)
    /// EOI, and where it ends.
    case eoi(Int)
  }

  private let bytes: UnsafeRawBufferPointer
  private var reader: ByteReader
  /// Where the last item began, with its 0xFF.
  private(set) var start: Int

  /// - Parameter offset: where the first marker is expected.
  init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    self.bytes = bytes
    reader = ByteReader(bytes, at: offset)
    start = reader.offset
  }

  /// Where the last item ended.
  var offset: Int { reader.offset }

  /// Whether a marker stands right here: nothing is to be skipped.
  var isAtMarker: Bool {
    var reader = reader
    guard reader.byte() == 0xFF, let code = reader.byte() else { return false }
    return Self.isMarker(code) || code == 0xFF
  }

  /// The next segment, SOI or EOI. TEM and RSTn stand alone, and are skipped.
  /// - Throws: `.truncated` where the bytes end before it does.
  mutating func next() throws(JPEGFault) -> Item {
    while true {
      let code = try marker()
      switch code {
      case 0xD0...0xD7: continue
      case 0xD8: return .soi(reader.offset - 2)
      case 0xD9: return .eoi(reader.offset)
      default:
        guard let length = reader.word() else { throw .truncated }
        guard let body = reader.take(max(2, Int(length)) - 2) else { throw .truncated }
        guard let soi = soi(within: code) else { return .segment(code, body) }
        reader = ByteReader(bytes, at: soi + 2)
        return .soi(soi)
      }
    }
  }

  /// Where another picture begins within the last segment: the frame that it is of was lost from there on. What has room
  /// for anything (APPn, a comment) can have a whole picture in it, and a table that a marker follows is a table.
  private func soi(within marker: UInt8) -> Int? {
    // SOS of three components has 14 bytes.
    guard marker < 0xE0, marker == 0xDA ? offset - start > 14 : offset >= bytes.count || bytes[offset] != 0xFF else {
      return nil
    }
    let soi = Self.soi(in: UnsafeRawBufferPointer(rebasing: bytes[..<min(offset + 2, bytes.count)]), from: start + 2)
    // A table may have these bytes; with a marker's after them it is none.
    return soi.flatMap { $0 < offset && $0 + 3 < bytes.count && Self.isMarker(bytes[$0 + 3]) ? $0 : nil }
  }

  /// Skips to the next marker.
  /// - Returns: its code.
  private mutating func marker() throws(JPEGFault) -> UInt8 {
    while let byte = reader.byte() {
      guard byte == 0xFF else { continue }
      // Any number of fill bytes (B.1.1.2).
      var code = reader.byte()
      while code == 0xFF { code = reader.byte() }
      guard let code else { break }
      start = reader.offset - 2
      if Self.isMarker(code) { return code }
    }
    throw .truncated
  }

  /// Those from SOF0 on; below are reserved codes and TEM, which no camera writes: with 0xFF before them they are junk.
  private static func isMarker(_ code: UInt8) -> Bool { code >= 0xC0 && code < 0xFF }

  /// Where the next SOI is that another marker, or a zero before it, follows.
  static func soi(in bytes: UnsafeRawBufferPointer, from offset: Int) -> Int? {
    var place = max(0, offset)
    while place < bytes.count - 2 {
      if bytes[place] == 0xFF, bytes[place + 1] == 0xD8, bytes[place + 2] == 0xFF || bytes[place + 2] == 0 {
        return place
      }
      place += 1
    }
    return nil
  }

  /// Bytes of junk after the data of a scan that do not cost the picture.
  private static let mostStray = 64

  /// Whether nothing but whole segments, such as DNL or a comment, each right after the one before, and then at most some
  /// stray bytes stand between here and an EOI.
  func reachEnd() -> Bool {
    var segments = self
    while segments.isAtMarker {
      switch try? segments.next() {
      case .segment(0xDA, _), .segment(0xC0...0xC3, _), .soi, nil: return false
      case .segment: continue
      case .eoi: return true
      }
    }
    let end = min(segments.offset + Self.mostStray, bytes.count - 1)
    return (segments.offset..<max(segments.offset, end)).contains { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xD9 }
  }
}
