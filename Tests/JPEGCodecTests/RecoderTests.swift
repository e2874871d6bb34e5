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
    guard var recoder = JPEGRecoder() else { throw JPEGRecoder.Failure.limit }
    return try jpeg.withUnsafeBytes {
      Array(try recoder.recode(.init($0), pixels: 320 * 240, method, deadline: .max).jpeg)
    }
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
    guard var recoder = JPEGRecoder() else { throw JPEGRecoder.Failure.limit }
    for method in [JPEGRecoder.Method.lossless, .reencoded] {
      for bad in [[], Array(jpeg.prefix(100)), [1, 2, 3], [0xFF, 0xD8, 0xFF, 0xD9]] {
        #expect(throws: JPEGRecoder.Failure.damaged) {
          try bad.withUnsafeBytes { _ = try recoder.recode(.init($0), pixels: 0, method, deadline: .max) }
        }
        let size = try jpeg.withUnsafeBytes {
          try recoder.recode(.init($0), pixels: 320 * 240, method, deadline: .max).jpeg.count
        }
        #expect(size > 1000)
      }
    }
  }

  /// A header that claims four gigapixels takes neither time nor memory.
  @Test func aHugePictureIsGivenUp() throws {
    var huge = jpeg
    let frame = try #require(huge.indices.first { huge[$0] == 0xFF && huge[$0 + 1] == 0xC0 })
    for offset in 5...8 { huge[frame + offset] = 0xFF }
    #expect(throws: JPEGRecoder.Failure.size) { try self.recode(huge, .reencoded) }
    #expect(throws: CodecError.self) { try self.pixels(huge) }
  }

  /// The library's own limit is 65,500 pixels, of what fields form, too.
  @Test(arguments: [5, 7]) func whatIsTooWideOrTooHighIsRefused(side: Int) throws {
    var large = jpeg
    let frame = try #require(large.indices.first { large[$0] == 0xFF && large[$0 + 1] == 0xC0 })
    for (size, isRefused) in [(65_500, false), (65_501, true), (65_535, true)] {
      (large[frame + side], large[frame + side + 1]) = (UInt8(size >> 8), UInt8(size & 0xFF))
      for method in [JPEGRecoder.Method.lossless, .reencoded] {
        var failure: JPEGRecoder.Failure?
        do { _ = try recode(large, method) } catch let error as JPEGRecoder.Failure { failure = error }
        #expect((failure == .size) == isRefused, "\(size), \(method)")
      }
    }
  }

  @Test func fieldsThatAreTooHighTogetherAreRefused() throws {
    guard var recoder = JPEGRecoder() else { throw JPEGRecoder.Failure.limit }
    var field = jpeg
    let frame = try #require(field.indices.first { field[$0] == 0xFF && field[$0 + 1] == 0xC0 })
    (field[frame + 5], field[frame + 6]) = (0x80, 0)
    #expect(throws: JPEGRecoder.Failure.size) {
      try field.withUnsafeBytes {
        _ = try recoder.weave(top: .init($0), bottom: .init($0), pixels: 320 * 65_536, deadline: .max)
      }
    }
  }

  @Test func whatTakesTooLongIsGivenUp() throws {
    guard var recoder = JPEGRecoder() else { throw JPEGRecoder.Failure.limit }
    for method in [JPEGRecoder.Method.lossless, .reencoded] {
      #expect(throws: JPEGRecoder.Failure.limit) {
        try jpeg.withUnsafeBytes { _ = try recoder.recode(.init($0), pixels: 320 * 240, method, deadline: 0) }
      }
    }
    #expect(try recode(jpeg, .lossless).count > 1000)
  }

  /// A progressive picture of 64 megapixels needs 200 MB: it is refused before it is read.
  @Test func whatTakesTooMuchMemoryIsGivenUp() throws {
    var huge = progressive()
    let frame = try #require(huge.indices.first { huge[$0] == 0xFF && huge[$0 + 1] == 0xC2 })
    for (offset, byte) in zip(5...8, [0x20, 0, 0x20, 0] as [UInt8]) { huge[frame + offset] = byte }
    for method in [JPEGRecoder.Method.lossless, .reencoded] {
      #expect(throws: JPEGRecoder.Failure.limit) { try self.recode(huge, method) }
    }
  }

  /// What the library only warns of costs no picture.
  @Test func aWarningIsNoFailure() throws {
    guard var recoder = JPEGRecoder() else { throw JPEGRecoder.Failure.limit }
    let stray = jpeg.dropLast(2) + [1, 2, 3, 4, 5, 6, 7, 8, 0xFF, 0xD9]
    var damaged = jpeg
    damaged[jpeg.count * 3 / 4] ^= 0x10
    for method in [JPEGRecoder.Method.lossless, .reencoded] {
      for bytes in [Array(stray), damaged] {
        let isCut = try bytes.withUnsafeBytes {
          try recoder.recode(.init($0), pixels: 320 * 240, method, deadline: .max).isCut
        }
        #expect(!isCut)
      }
      let isCut = try jpeg.prefix(jpeg.count / 2).withUnsafeBytes {
        try recoder.recode(.init($0), pixels: 320 * 240, method, deadline: .max).isCut
      }
      #expect(isCut)
    }
  }

  /// At a marker that is none of the restart intervals' the library waits for the end: what is missing then counts as at
  /// any other end.
  @Test func aMarkerInTheScanCutsItShort() throws {
    guard var recoder = JPEGRecoder() else { throw JPEGRecoder.Failure.limit }
    let scan = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA })
    var restarted = jpeg
    // An interval that no scan reaches the end of.
    restarted.insert(contentsOf: [0xFF, 0xDD, 0, 4, 0xFF, 0xFF], at: scan)
    for (bytes, marker, isCut) in [
      (jpeg, 0x01, true), (jpeg, 0xEE, true), (restarted, 0xEE, true), (restarted, 0x01, false),
    ] as [([UInt8], UInt8, Bool)] {
      for method in [JPEGRecoder.Method.lossless, .reencoded] {
        var damaged = bytes
        for (place, byte) in zip((bytes.count / 2)..., [0xFF, marker, 0, 4]) { damaged[place] = byte }
        let cut = try damaged.withUnsafeBytes {
          try recoder.recode(.init($0), pixels: 320 * 240, method, deadline: .max).isCut
        }
        #expect(cut == isCut, "\(marker), \(method)")
        // In the last rows it costs next to nothing.
        damaged = bytes
        for (place, byte) in zip((bytes.count - 40)..., [0xFF, marker, 0, 4]) { damaged[place] = byte }
        let late = try damaged.withUnsafeBytes {
          try recoder.recode(.init($0), pixels: 320 * 240, method, deadline: .max).isCut
        }
        #expect(!late)
      }
    }
  }

  /// The lines of two fields alternate.
  @Test func fieldsAreWoven() throws {
    guard var recoder = JPEGRecoder() else { throw JPEGRecoder.Failure.limit }
    func field(_ value: UInt8) throws -> [UInt8] {
      let picture = PlanarPicture(width: 64, height: 32)
      for offset in 0..<64 * 32 { picture.plane(0).start[offset] = value }
      return try picture.jpeg(quality: 90)
    }
    let (light, dark) = (try field(180), try field(60))
    let woven = try light.withUnsafeBytes { top in
      try dark.withUnsafeBytes { bottom in
        Array(try recoder.weave(top: .init(top), bottom: .init(bottom), pixels: 64 * 64, deadline: .max).jpeg)
      }
    }
    var decoder = try JPEGDecoder()
    try woven.withUnsafeBytes {
      let (width, height, pixels) = try decoder.decode($0, to: .luma)
      #expect(width == 64 && height == 64)
      for y in 0..<height { #expect(abs(Int(pixels[y * width + 30]) - (y % 2 == 0 ? 180 : 60)) < 12) }
    }
  }
}
