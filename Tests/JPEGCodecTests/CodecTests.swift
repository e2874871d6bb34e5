import Testing

@testable import JPEGCodec

@Suite struct CodecTests {
  private func encode(_ width: Int, _ height: Int) throws -> [UInt8] {
    let picture = PlanarPicture(width: width, height: height)
    let luma = picture.plane(0)
    for offset in 0..<luma.width * luma.height {
      luma.start[offset] = UInt8(truncatingIfNeeded: offset % luma.width * 255 / luma.width)
    }
    return try picture.jpeg(quality: 90)
  }

  @Test(arguments: [(16, 16), (17, 31), (640, 480), (641, 481), (1001, 3)])
  func whatIsEncodedIsDecoded(width: Int, height: Int) throws {
    var decoder = try JPEGDecoder()
    let jpeg = try encode(width, height)
    try jpeg.withUnsafeBytes { jpeg in
      let picture = try decoder.decode(jpeg)
      #expect(picture.width == width && picture.height == height)
      // Every line, the last included, is the ramp that was drawn.
      for y in [0, height / 2, height - 1] {
        let line = (0..<width).map { Int(picture.pixels[3 * (y * width + $0)]) }
        let worst = line.indices.map { abs(line[$0] - $0 * 255 / (width + width % 2)) }.max() ?? 0
        #expect(worst < 40)
      }
    }
  }

  @Test(arguments: [(16, 16), (17, 31), (641, 481)])
  func lumaAlone(width: Int, height: Int) throws {
    var decoder = try JPEGDecoder()
    let jpeg = try encode(width, height)
    try jpeg.withUnsafeBytes { jpeg in
      // Whatever was decoded before.
      _ = try decoder.decode(jpeg)
      let picture = try decoder.decode(jpeg, to: .luma)
      #expect(picture.width == width && picture.height == height && picture.pixels.count == width * height)
      for y in [0, height / 2, height - 1] {
        let worst = (0..<width).map { abs(Int(picture.pixels[y * width + $0]) - $0 * 255 / (width + width % 2)) }.max()
        #expect((worst ?? 255) < 20)
      }
    }
    let size = [UInt8](jpeg.prefix(jpeg.count / 2)).withUnsafeBytes { try? decoder.decode($0, to: .luma).width }
    #expect(size == nil)
  }

  @Test func whatIsCutOrNoJPEGIsAnError() throws {
    var decoder = try JPEGDecoder()
    let jpeg = try encode(320, 240)
    for length in [0, 1, 2, 100, jpeg.count / 2, jpeg.count - 2] {
      #expect(throws: CodecError.self, "cut at \(length)") {
        try jpeg.prefix(length).withUnsafeBytes { _ = try decoder.decode($0) }
      }
    }
    // And it goes on with the next.
    let width = try jpeg.withUnsafeBytes { try decoder.decode($0).width }
    #expect(width == 320)
  }
}
