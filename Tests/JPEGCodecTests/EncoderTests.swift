import CTurboJPEG
import Testing

@testable import JPEGCodec

/// The encoder against TurboJPEG on planes that were made by plain loops: the same bytes.
@Suite struct EncoderTests {
  static let formats: [RawFormat] = [
    .yuv420, .yuv422, .nv12, .nv21, .nv16, .nv61, .yuyv, .yvyu, .uyvy, .vyuy, .grey,
    .yuv444, .nv24, .nv42, .p010,
  ]
  static let orders: [RawFormat.ByteOrder] = [.rgb, .bgr, .rgbx, .bgrx, .xrgb, .xbgr]
  static let sizes = [(1, 1), (2, 2), (8, 8), (16, 16), (17, 31), (24, 18), (50, 34), (101, 3), (352, 40), (353, 41)]

  @Test(arguments: formats, sizes)
  func planesAreEncodedAsTurboJPEGDoes(format: RawFormat, size: (Int, Int)) throws {
    for subsampling in [Subsampling.yuv420, .yuv422] {
      for padding in [0, 13] {
        let source = Source(format, width: size.0, height: size.1, padding: padding)
        let expected = try source.planes(subsampling).jpeg(quality: 80)
        #expect(try source.jpeg(subsampling, quality: 80) == expected, "\(subsampling), \(padding) bytes between lines")
      }
    }
  }

  @Test(arguments: orders, [(1, 1), (17, 31), (352, 40)])
  func pixelsAreEncodedAsTurboJPEGDoes(order: RawFormat.ByteOrder, size: (Int, Int)) throws {
    for subsampling in [Subsampling.yuv420, .yuv422] {
      let source = Source(.rgb(order), width: size.0, height: size.1, padding: 5)
      #expect(try source.jpeg(subsampling, quality: 97) == source.turboJPEG(order, subsampling, quality: 97))
    }
  }

  @Test func aMemoryForEachPlane() throws {
    for swapped in [false, true] {
      let source = Source(.yuv420, width: 50, height: 35, padding: 6)
      let (first, second) = (56 * 35, 56 * 35 + 28 * 18)
      let planes = [0..<first, first..<second, second..<source.bytes.count].map { Array(source.bytes[$0]) }
      let layout = RawLayout(.yuv420, width: 50, height: 35, strides: [56, 28, 28], isSwapped: swapped)
      var encoder = try JPEGEncoder(.yuv420, width: 50, height: 35)
      let made = try planes[0].withUnsafeBytes { one in
        try planes[swapped ? 2 : 1].withUnsafeBytes { two in
          try planes[swapped ? 1 : 2].withUnsafeBytes { three in
            try encoder.bytes(layout.picture(one, two, three), width: 50, height: 35, .yuv420, quality: 80)
          }
        }
      }
      #expect(try made == source.planes(.yuv420).jpeg(quality: 80))
    }
  }

  /// One encoder for many pictures; and one that failed goes on.
  @Test func anEncoderIsReused() throws {
    let source = Source(.nv12, width: 353, height: 41, padding: 0)
    var encoder = try JPEGEncoder(.nv12, width: 353, height: 41)
    let small = UnsafeMutableRawBufferPointer.allocate(byteCount: 700, alignment: 16)
    defer { small.deallocate() }
    let once = try source.jpeg(.yuv420, quality: 80)
    try source.bytes.withUnsafeBytes { bytes in
      let picture = source.layout.picture(bytes)
      for quality in [100, 80, 30, 80] {
        let again = try encoder.bytes(picture, width: 353, height: 41, .yuv420, quality: quality)
        #expect((again == once) == (quality == 80))
        #expect(throws: CodecError.self) { _ = try encoder.encode(picture, quality: 80, into: small) }
      }
    }
  }

  /// Of a picture that was cut short, the lines that are there; the others are grey. Nothing behind its end is read.
  @Test(arguments: formats + [.rgb(.rgb)]) func missingLinesAreGrey(format: RawFormat) throws {
    let (width, height) = (64, 48)
    let source = Source(format, width: width, height: height, padding: 0)
    var decoder = try JPEGDecoder()
    for count in [0, 1, source.bytes.count / 4, source.bytes.count] {
      let cut = Array(source.bytes[..<count])
      var encoder = try JPEGEncoder(format, width: width, height: height)
      let jpeg = try cut.withUnsafeBytes { bytes in
        let picture = source.layout.picture(bytes)
        #expect(picture.isWhole == (count == source.bytes.count))
        return try encoder.bytes(picture, width: width, height: height, .yuv420, quality: 95)
      }
      let isGrey = try jpeg.withUnsafeBytes { jpeg in
        try decoder.decode(jpeg).pixels.suffix(3 * width).allSatisfy { (120...136).contains($0) }
      }
      #expect(isGrey == (count < source.bytes.count))
    }
  }

  @Test(arguments: [Subsampling.yuv420, .yuv422]) func theLargestIsLargeEnough(subsampling: Subsampling) throws {
    var random = SystemRandomNumberGenerator()
    var source = Source(.yuv422, width: 133, height: 77, padding: 0)
    for index in source.bytes.indices { source.bytes[index] = random.next() % 2 == 0 ? 0 : 255 }
    #expect(try source.jpeg(subsampling, quality: 100).count > 133 * 77)
  }
}

/// A raw picture with detail in some format's bytes; its samples are known one by one.
private struct Source {
  let format: RawFormat
  let width: Int
  let height: Int
  let layout: RawLayout
  var bytes: [UInt8]

  init(_ format: RawFormat, width: Int, height: Int, padding: Int) {
    self.format = format
    self.width = width
    self.height = height
    // A plane of colour has half of it, so it is even there.
    let stride =
      format.lineBytes(0, width: width) + (format.planeCount == 3 ? (padding + width) / 2 * 2 - width : padding)
    layout = RawLayout(format, width: width, height: height, stride: stride)
    let real = layout.places.0.stride
    let chroma = layout.places.1.stride
    let lines = (1..<max(1, format.planeCount)).reduce(0) { $0 + chroma * format.lines($1, height: height) }
    bytes = [UInt8](repeating: 0, count: real * height + lines)
    var seed: UInt32 = 7
    for index in bytes.indices {
      seed = seed &* 1_664_525 &+ 1_013_904_223
      bytes[index] = UInt8(truncatingIfNeeded: index * 3 / 2 &+ Int(seed >> 26))
    }
  }

  private var stride: Int { layout.places.0.stride }

  private func luma(_ x: Int, _ y: Int) -> UInt8 {
    let (x, y) = (min(x, width - 1), min(y, height - 1))
    return switch format {
    case .yuyv, .yvyu: bytes[y * stride + 2 * x]
    case .uyvy, .vyuy: bytes[y * stride + 2 * x + 1]
    case .p010: wide(y * stride + 2 * x)
    default: bytes[y * stride + x]
    }
  }

  /// A sample of two bytes, as one.
  private func wide(_ place: Int) -> UInt8 {
    UInt8(min(255, ((Double(bytes[place + 1]) * 256 + Double(bytes[place])) / 256 + 0.5).rounded(.down)))
  }

  /// Sample `x` of line `y` of the format's own colour.
  private func chroma(red: Bool, _ x: Int, _ y: Int) -> UInt8 {
    let lines = format.lines(1, height: height)
    let first = stride * height
    let swapped = red != format.isSwapped
    switch format {
    case .yuv420, .yuv422:
      let chromaStride = (stride + 1) / 2
      return bytes[first + (red ? chromaStride * lines : 0) + y * chromaStride + x]
    case .yuv444: return bytes[first + (red ? stride * lines : 0) + y * stride + x]
    case .nv24, .nv42: return bytes[first + y * 2 * stride + 2 * x + (swapped ? 1 : 0)]
    case .p010: return wide(first + y * stride + 4 * x + (swapped ? 2 : 0))
    case .nv12, .nv21, .nv16, .nv61: return bytes[first + y * stride + 2 * x + (swapped ? 1 : 0)]
    case .yuyv, .yvyu: return bytes[y * stride + 4 * x + (swapped ? 3 : 1)]
    case .uyvy, .vyuy: return bytes[y * stride + 4 * x + (swapped ? 2 : 0)]
    case .grey, .rgb: return 128
    }
  }

  /// Line `y` of the JPEG's colour.
  private func chroma(red: Bool, _ x: Int, _ y: Int, _ subsampling: Subsampling) -> UInt8 {
    if [.yuv444, .nv24, .nv42].contains(format) {
      let below = subsampling == .yuv420 ? min(2 * y + 1, height - 1) : y
      let (right, above) = (min(2 * x + 1, width - 1), subsampling == .yuv420 ? 2 * y : y)
      let samples = [(2 * x, above), (right, above), (2 * x, below), (right, below)]
      return UInt8((samples.reduce(0) { $0 + Int(chroma(red: red, $1.0, $1.1)) } + 2) / 4)
    }
    let own: Int = [.yuv420, .nv12, .nv21, .p010].contains(format) ? 2 : 1
    if subsampling == .yuv420 && own == 1 {
      let (a, b) = (chroma(red: red, x, 2 * y), chroma(red: red, x, min(2 * y + 1, height - 1)))
      return UInt8((Int(a) + Int(b) + 1) / 2)
    }
    return chroma(red: red, x, subsampling == .yuv422 && own == 2 ? y / 2 : y)
  }

  /// As TurboJPEG wants them: odd sides made even.
  func planes(_ subsampling: Subsampling) -> Planes {
    let down = subsampling == .yuv420 ? 2 : 1
    let (wide, high) = ((width + 1) / 2, (height + down - 1) / down)
    func plane(red: Bool) -> [UInt8] {
      (0..<high).flatMap { y in (0..<wide).map { x in chroma(red: red, x, y, subsampling) } }
    }
    let bright = (0..<high * down).flatMap { y in (0..<2 * wide).map { x in luma(x, y) } }
    return Planes(
      width: width, height: height, subsampling: subsampling, samples: [bright, plane(red: false), plane(red: true)])
  }

  func jpeg(_ subsampling: Subsampling, quality: Int) throws -> [UInt8] {
    var encoder = try JPEGEncoder(format, width: width, height: height, subsampling: subsampling)
    return try bytes.withUnsafeBytes {
      try encoder.bytes(layout.picture($0), width: width, height: height, subsampling, quality: quality)
    }
  }

  /// Of RGB.
  func turboJPEG(_ order: RawFormat.ByteOrder, _ subsampling: Subsampling, quality: Int32) throws -> [UInt8] {
    let format =
      switch order {
      case .rgb: TJPF_RGB
      case .bgr: TJPF_BGR
      case .rgbx: TJPF_RGBX
      case .bgrx: TJPF_BGRX
      case .xrgb: TJPF_XRGB
      case .xbgr: TJPF_XBGR
      }
    return try turboJPEGBytes { handle, output, size in
      tjCompress2(
        handle, bytes, Int32(width), Int32(stride), Int32(height), Int32(format.rawValue), &output, &size,
        Int32((subsampling == .yuv420 ? TJSAMP_420 : TJSAMP_422).rawValue), quality, 0)
    }
  }
}

private struct Planes {
  let width: Int
  let height: Int
  let subsampling: Subsampling
  let samples: [[UInt8]]

  func jpeg(quality: Int32) throws -> [UInt8] {
    try samples[0].withUnsafeBufferPointer { luma in
      try samples[1].withUnsafeBufferPointer { blue in
        try samples[2].withUnsafeBufferPointer { red in
          var planes = [luma.baseAddress, blue.baseAddress, red.baseAddress]
          return try turboJPEGBytes { handle, output, size in
            tjCompressFromYUVPlanes(
              handle, &planes, Int32(width), nil, Int32(height),
              Int32((subsampling == .yuv420 ? TJSAMP_420 : TJSAMP_422).rawValue), &output, &size, quality, 0)
          }
        }
      }
    }
  }
}

private func turboJPEGBytes(
  _ encode: (tjhandle?, inout UnsafeMutablePointer<UInt8>?, inout UInt) -> Int32
) throws -> [UInt8] {
  let handle = tjInitCompress()
  var output: UnsafeMutablePointer<UInt8>?
  var size: UInt = 0
  defer {
    tjFree(output)
    tjDestroy(handle)
  }
  let status = encode(handle, &output, &size)
  try #require(status == 0)
  return Array(UnsafeBufferPointer(start: output, count: Int(size)))
}

extension JPEGEncoder {
  mutating func bytes(
    _ picture: RawPicture, width: Int, height: Int, _ subsampling: Subsampling, quality: Int
  ) throws -> [UInt8] {
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Self.largestJPEG(width: width, height: height, subsampling: subsampling), alignment: 16)
    defer { memory.deallocate() }
    return Array(memory[..<(try encode(picture, quality: quality, into: memory))])
  }
}
