import Testing

@testable import JPEGCodec

/// Colours against the standards' own formulas in floating point.
@Suite struct ColourTests {
  /// Red's and blue's shares of Y (BT.601-7 2.5.1, BT.709-6 3.2, BT.2020-2 table 4, SMPTE 240M).
  private static func weights(_ matrix: Colour.Matrix) -> (red: Double, blue: Double) {
    switch matrix {
    case .bt601: (0.299, 0.114)
    case .bt709: (0.2126, 0.0722)
    case .bt2020: (0.2627, 0.0593)
    case .smpte240m: (0.212, 0.087)
    }
  }

  /// Red, green and blue, from 0 to 1.
  private static func rgb(_ y: UInt8, _ cb: UInt8, _ cr: UInt8, _ colour: Colour) -> (Double, Double, Double) {
    let isFull = colour.range == .full
    let luma = isFull ? Double(y) / 255 : (Double(y) - 16) / 219
    let (blue, red) =
      isFull
      ? ((Double(cb) - 128) / 255, (Double(cr) - 128) / 255) : ((Double(cb) - 128) / 224, (Double(cr) - 128) / 224)
    let weights = weights(colour.matrix)
    let r = luma + 2 * (1 - weights.red) * red
    let b = luma + 2 * (1 - weights.blue) * blue
    return (r, (luma - weights.red * r - weights.blue * b) / (1 - weights.red - weights.blue), b)
  }

  /// Y, Cb and Cr of JFIF, of the same colour.
  private static func exact(_ y: UInt8, _ cb: UInt8, _ cr: UInt8, _ colour: Colour) -> [Double] {
    let (r, g, b) = rgb(y, cb, cr, colour)
    let luma = 0.299 * r + 0.587 * g + 0.114 * b
    return [luma * 255, (b - luma) / 1.772 * 255 + 128, (r - luma) / 1.402 * 255 + 128].map { min(max($0, 0), 255) }
  }

  static let colours = [Colour.Range.full, .limited].flatMap { range in
    [Colour.Matrix.bt601, .bt709, .bt2020, .smpte240m].map { Colour(range, $0) }
  }.filter { $0 != .jpeg }

  @Test(arguments: colours) func samplesAreBroughtToJPEGsColours(colour: Colour) throws {
    let conversion = try #require(ColourConversion(from: colour))
    var worst = 0.0
    let values = (0...255).map { UInt8($0) }
    for blue in stride(from: 0, through: 255, by: 15) {
      for red in stride(from: 0, through: 255, by: 15) {
        let (cb, cr) = (UInt8(blue), UInt8(red))
        let blues = [UInt8](repeating: cb, count: 128)
        let reds = [UInt8](repeating: cr, count: 128)
        var (luma, newBlue, newRed) = ([UInt8](repeating: 0, count: 256), blues, reds)
        var shares = [UInt16](repeating: 0, count: 128)
        conversion.share(blues, reds, count: 128, into: &shares)
        if conversion.mixes {
          conversion.convert(values, with: shares, count: 256, into: &luma)
        } else {
          conversion.convert(values, count: 256, into: &luma)
        }
        conversion.convert(blues, reds, count: 128, into: &newBlue, &newRed)
        for y in values {
          let exact = Self.exact(y, cb, cr, colour)
          worst = max(worst, abs(Double(luma[Int(y)]) - exact[0]))
        }
        let exact = Self.exact(128, cb, cr, colour)
        worst = max(worst, abs(Double(newBlue[0]) - exact[1]), abs(Double(newRed[127]) - exact[2]))
      }
    }
    #expect(worst <= 1, "\(worst)")
  }

  @Test func whatIsRightIsLeft() {
    #expect(ColourConversion(from: .jpeg) == nil)
    #expect(ColourConversion(from: Colour(.full, .bt709), isRGB: true) == nil)
    #expect(ColourConversion(from: Colour(.limited, .bt709), isRGB: true)?.mixes == false)
  }

  /// A picture of one colour, of each format and matrix: that colour is in the JPEG.
  @Test(arguments: [RawFormat.yuv420, .nv21, .yuyv, .uyvy, .yuv422, .grey]) func aColourArrives(format: RawFormat)
    throws
  {
    var decoder = try JPEGDecoder()
    for colour in Self.colours + [.jpeg] {
      for subsampling in [Subsampling.yuv420, .yuv422] {
        let (y, cb, cr): (UInt8, UInt8, UInt8) = format == .grey ? (100, 128, 128) : (100, 90, 150)
        let picture = Flat(format, y, cb, cr)
        let rgb = Self.rgb(y, cb, cr, colour)
        let jpeg = try picture.jpeg(colour, subsampling)
        try jpeg.withUnsafeBytes { jpeg in
          let pixels = try decoder.decode(jpeg).pixels
          for (sample, exact) in zip(pixels, [rgb.0, rgb.1, rgb.2]) {
            #expect(abs(Double(sample) - 255 * exact) < 2.5, "\(colour), \(subsampling)")
          }
        }
      }
    }
  }

  @Test func rgbOfLimitedRangeIsWidened() throws {
    var decoder = try JPEGDecoder()
    var encoder = try JPEGEncoder(.rgb(.rgb), width: 32, height: 16, colour: Colour(.limited, .bt709))
    let bytes = [[UInt8]](repeating: [235, 16, 126], count: 32 * 16).flatMap { $0 }
    let layout = RawLayout(.rgb(.rgb), width: 32, height: 16, stride: 0)
    let jpeg = try bytes.withUnsafeBytes {
      try encoder.bytes(layout.picture($0), width: 32, height: 16, .yuv420, quality: 100)
    }
    try jpeg.withUnsafeBytes { jpeg in
      let pixels = try decoder.decode(jpeg).pixels
      for (sample, exact) in zip(pixels, [255, 0, 128]) { #expect(abs(Int(sample) - exact) <= 3) }
    }
  }
}

/// A picture of one colour.
private struct Flat {
  let layout: RawLayout
  let bytes: [UInt8]

  init(_ format: RawFormat, _ y: UInt8, _ cb: UInt8, _ cr: UInt8) {
    let (width, height) = (50, 34)
    layout = RawLayout(format, width: width, height: height, stride: 0)
    func repeated(_ pattern: [UInt8], _ count: Int) -> [UInt8] {
      [[UInt8]](repeating: pattern, count: count).flatMap { $0 }
    }
    let luma = repeated([y], width * height)
    bytes =
      switch format {
      case .yuv420: luma + repeated([cb], 25 * 17) + repeated([cr], 25 * 17)
      case .yuv422: luma + repeated([cb], 25 * 34) + repeated([cr], 25 * 34)
      case .nv21: luma + repeated([cr, cb], 25 * 17)
      case .yuyv: repeated([y, cb, y, cr], 25 * 34)
      case .uyvy: repeated([cb, y, cr, y], 25 * 34)
      default: luma
      }
  }

  func jpeg(_ colour: Colour, _ subsampling: Subsampling) throws -> [UInt8] {
    var encoder = try JPEGEncoder(layout.format, width: 50, height: 34, colour: colour, subsampling: subsampling)
    return try bytes.withUnsafeBytes {
      try encoder.bytes(layout.picture($0), width: 50, height: 34, subsampling, quality: 100)
    }
  }
}
