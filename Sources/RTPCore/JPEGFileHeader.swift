/// The header of a JPEG file around a received scan, with the standard entropy tables (RFC 2435, Appendix B).
struct JPEGFileHeader {
  /// No header it writes is longer.
  static let largest = 1024

  var width: UInt16
  var height: UInt16
  var sampling: JPEGHeader.Sampling
  var tables: QuantizationTables
  var restartInterval: UInt16

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
    let factors: UInt8 = sampling == .yuv420 ? 0x22 : 0x21
    segment(
      0xC0, [8] + Self.word(height) + Self.word(width) + [3, 1, factors, 0, 2, 0x11, 1, 3, 0x11, 1])
    for table in HuffmanTables.standard { segment(0xC4, [table.kind << 4 | table.number] + table.body) }
    segment(0xDA, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])
    return bytes
  }

  private static func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
}
