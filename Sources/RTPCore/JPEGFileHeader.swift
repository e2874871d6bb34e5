/// The header of a JPEG file around a received scan (RFC 2435, Appendix B).
struct JPEGFileHeader {
  /// No header it writes is longer.
  static let largest = 8192

  /// SOF0's body.
  private let frame: [UInt8]
  private let tables: QuantizationTables
  /// DHT's bodies: the standard ones, unless the sender gave others.
  private let huffman: [UInt8]
  private let restartInterval: UInt16

  /// nil where the size is not known.
  /// - Parameters:
  ///   - fields: from ONVIF's extension; it goes before the payload's own header.
  init?(
    width: UInt16, height: UInt16, sampling: JPEGHeader.Sampling, tables: QuantizationTables, restartInterval: UInt16,
    fields: OnvifExtension.Fields?
  ) {
    let factors: UInt8 = sampling == .yuv420 ? 0x22 : 0x21
    frame =
      fields?.frame ?? [8] + Self.word(height) + Self.word(width) + [3, 1, factors, 0, 2, 0x11, 1, 3, 0x11, 1]
    let standard: [UInt8] = HuffmanTables.standard.flatMap { table -> [UInt8] in
      [table.kind << 4 | table.number] + table.body
    }
    let others = fields?.huffman ?? []
    huffman = others.isEmpty ? standard : others
    self.tables = tables
    self.restartInterval = restartInterval
    guard size.width > 0, size.height > 0, huffman.count < 4096 else { return nil }
  }

  /// Pixels.
  var size: (width: Int, height: Int) {
    (Int(frame[3]) << 8 | Int(frame[4]), Int(frame[1]) << 8 | Int(frame[2]))
  }

  /// SOI to SOS.
  var bytes: [UInt8] {
    var bytes: [UInt8] = [0xFF, 0xD8]
    func segment(_ marker: UInt8, _ body: [UInt8]) {
      bytes += [0xFF, marker] + Self.word(UInt16(body.count + 2)) + body
    }
    for (number, table) in [tables.luma, tables.chroma].enumerated() {
      segment(0xDB, [UInt8(number)] + table.indices.map { table[$0] })
    }
    if restartInterval > 0 { segment(0xDD, Self.word(restartInterval)) }
    segment(0xC0, frame)
    segment(0xC4, huffman)
    // The components in SOF0's order; luma with tables 0, chroma with tables 1.
    let components: [UInt8] = (0..<Int(frame[5])).flatMap { index -> [UInt8] in
      [frame[6 + 3 * index], index == 0 ? 0x00 : 0x11]
    }
    segment(0xDA, [frame[5]] + components + [0, 63, 0])
    return bytes
  }

  private static func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
}
