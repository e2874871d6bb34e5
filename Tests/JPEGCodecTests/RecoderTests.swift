import CTurboJPEG
import Testing

@testable import JPEGCodec

@Suite struct RecoderTests {
  private let jpeg: [UInt8]
  init() throws {
    let picture = PlanarPicture(width: 320, height: 240)
    let luma = picture.plane(0)
    for offset in 0..<320 * 240 { luma.start[offset] = UInt8(truncatingIfNeeded: offset * offset / 640) }
    jpeg = try picture.jpeg(quality: 80)
  }

  /// The JPEG as progressive, by the library's own hand.
  private func progressive() -> [UInt8] {
    let handle = tjInitTransform()
    defer { tjDestroy(handle) }
    var change = tjtransform()
    change.options = TJXOPT_PROGRESSIVE
    var output: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    _ = jpeg.withUnsafeBufferPointer {
      tjTransform(handle, $0.baseAddress, UInt($0.count), 1, &output, &size, &change, 0)
    }
    defer { tjFree(output) }
    return Array(UnsafeBufferPointer(start: output, count: Int(size)))
  }

  private func pixels(_ jpeg: [UInt8]) throws -> [UInt8] {
    var decoder = try JPEGDecoder()
    return try jpeg.withUnsafeBytes { Array(try decoder.decode($0).pixels) }
  }

  private func recode(_ jpeg: [UInt8], _ method: JPEGRecoder.Method) throws -> [UInt8] {
    var recoder = try JPEGRecoder()
    return try jpeg.withUnsafeBytes { Array(try recoder.recode($0, method)) }
  }

  @Test func losslessIsLossless() throws {
    let source = progressive()
    #expect(source != jpeg)
    let recoded = try recode(source, .lossless)
    #expect(try pixels(recoded) == pixels(jpeg))
    // Baseline again.
    #expect(recoded.indices.dropLast().contains { recoded[$0] == 0xFF && recoded[$0 + 1] == 0xC0 })
  }

  @Test func whatIsEncodedAgainIsNear() throws {
    let before = try pixels(jpeg)
    let after = try pixels(recode(jpeg, .reencoded))
    let error = zip(before, after).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    #expect(Double(error) / Double(before.count) < 3)
  }

  /// One recoder serves frame after frame, bad ones between them.
  @Test func itGoesOnAfterABadFrame() throws {
    var recoder = try JPEGRecoder()
    for method in [JPEGRecoder.Method.lossless, .reencoded] {
      for bad in [[], Array(jpeg.prefix(100)), [1, 2, 3], [0xFF, 0xD8, 0xFF, 0xD9]] {
        #expect(throws: CodecError.self) { try bad.withUnsafeBytes { _ = try recoder.recode($0, method) } }
        let size = try jpeg.withUnsafeBytes { try recoder.recode($0, method).count }
        #expect(size > 1000)
      }
    }
  }

  /// A header that claims more than 64 megapixels takes no memory.
  @Test func aHugePictureIsRefused() throws {
    var huge = jpeg
    let frame = try #require(huge.indices.first { huge[$0] == 0xFF && huge[$0 + 1] == 0xC0 })
    for offset in 5...8 { huge[frame + offset] = 0xFF }
    #expect(throws: CodecError.self) { try self.recode(huge, .reencoded) }
    #expect(throws: CodecError.self) { try self.pixels(huge) }
  }
}
