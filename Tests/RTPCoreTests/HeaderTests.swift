import Testing

@testable import RTPCore

/// Vectors of headers, used both ways.
@Suite struct HeaderTests {
  static let rtp: [(RTPHeader, [UInt8])] = [
    (
      RTPHeader(marker: false, payloadType: 26, sequence: 1, timestamp: 2, ssrc: 3),
      [0x80, 26, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]
    ),
    (
      RTPHeader(marker: true, payloadType: 127, sequence: 0xFFFE, timestamp: 0xDEAD_BEEF, ssrc: 0x1234_5678),
      [0x80, 0xFF, 0xFF, 0xFE, 0xDE, 0xAD, 0xBE, 0xEF, 0x12, 0x34, 0x56, 0x78]
    ),
  ]

  @Test(arguments: rtp) func rtpBothWays(header: RTPHeader, bytes: [UInt8]) throws {
    var written = [UInt8](repeating: 0xAA, count: RTPHeader.size)
    written.withUnsafeMutableBytes { buffer in buffer.baseAddress.map { header.write(to: $0) } }
    #expect(written == bytes)
    let packet = bytes + [7, 8]
    packet.withUnsafeBytes { packet in
      let read = RTPHeader.read(packet)
      #expect(read?.header == header)
      #expect(read.map { Array($0.payload) } == [7, 8])
    }
  }

  static let restart: [(RestartHeader, [UInt8])] = [
    (RestartHeader(interval: 10), [0, 10, 0xFF, 0xFF]),
    (RestartHeader(interval: 0xABCD, count: 0xC001), [0xAB, 0xCD, 0xC0, 1]),
  ]

  @Test(arguments: restart) func restartBothWays(header: RestartHeader, bytes: [UInt8]) {
    var written = [UInt8](repeating: 0xAA, count: RestartHeader.size)
    written.withUnsafeMutableBytes { buffer in buffer.baseAddress.map { header.write(to: $0) } }
    #expect(written == bytes)
    bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      #expect(RestartHeader(&reader) == header)
    }
  }

  static let jpeg: [(JPEGPayloadHeader, [UInt8])] = [
    (JPEGPayloadHeader(offset: 0, type: 1, q: 255, width: 240, height: 135), [0, 0, 0, 0, 1, 255, 240, 135]),
    (JPEGPayloadHeader(offset: 0xABCDEF, type: 64, q: 10, width: 0, height: 0), [0, 0xAB, 0xCD, 0xEF, 64, 10, 0, 0]),
  ]

  @Test(arguments: jpeg) func jpegBothWays(header: JPEGPayloadHeader, bytes: [UInt8]) throws {
    var written = [UInt8](repeating: 0xAA, count: JPEGPayloadHeader.size)
    written.withUnsafeMutableBytes { buffer in buffer.baseAddress.map { header.write(to: $0) } }
    #expect(written == bytes)
    bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      #expect(JPEGPayloadHeader(&reader) == header)
    }
  }

  @Test(arguments: [(1, 1), (8, 1), (9, 2), (1080, 135), (1920, 240), (2040, 255)])
  func blocks(pixels: Int, blocks: Int) {
    #expect(JPEGPayloadHeader.blocks(width: UInt16(pixels), height: 8) == (UInt8(blocks), 1))
    #expect(JPEGPayloadHeader.blocks(width: 8, height: UInt16(pixels)) == (1, UInt8(blocks)))
    // What the header can't say of one side it does not say of the other.
    #expect(JPEGPayloadHeader.blocks(width: UInt16(pixels), height: 2041) == (0, 0))
    #expect(JPEGPayloadHeader.blocks(width: 65_535, height: UInt16(pixels)) == (0, 0))
  }

  /// RFC 2435, Appendix A: 50 is Annex K itself; 99 is nearly lossless; 1 is the coarsest.
  @Test func tablesOfQ() throws {
    let fifty = try #require(QuantizationTables(q: 50))
    #expect([fifty.luma[0], fifty.luma[1], fifty.luma[63], fifty.chroma[0], fifty.chroma[63]] == [16, 11, 99, 17, 99])
    let best = try #require(QuantizationTables(q: 99))
    #expect([best.luma[0], best.luma[63]] == [1, 2])
    let worst = try #require(QuantizationTables(q: 1))
    #expect([worst.luma[0], worst.chroma[0]] == [255, 255])
    let quarter = try #require(QuantizationTables(q: 25))
    #expect(quarter.luma[0] == 32)
    #expect(QuantizationTables(q: 0) == nil)
    #expect(QuantizationTables(q: 100) == nil)
  }
}
