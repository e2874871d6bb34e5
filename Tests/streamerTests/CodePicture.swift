import Glibc
import JPEGCodec

@testable import streamer

/// Numbers that look random, the same each time.
struct Numbers: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

/// What a camera sees of a time code: a white sheet with bars, somewhere before it.
struct CodePicture {
  var width = 640
  var height = 220
  /// Pixels.
  var module = 4.0
  /// Pixels of the bars; the sheet has a tenth more above and below.
  var high = 100.0
  /// Degrees.
  var angle = 0.0
  /// Pixels to the side a pixel downwards.
  var shear = 0.0
  /// By how much the code's left end is nearer than its right one, as a part of the distance.
  var nearness = 0.0
  var isMirrored = false
  /// Standard deviation of what a point becomes, in modules.
  var blur = 0.0
  var black = 16.0
  var white = 235.0
  /// What the light falls to from the left to the right, as a part.
  var shade = 1.0
  /// Standard deviation, in levels.
  var noise = 0.0
  /// Of the camera: the level grows with the light's 1/gamma-th power.
  var gamma = 1.0
  /// JPEG quality; 0: none.
  var quality = 0

  /// Some of many codes, in equal or other parts of the exposure, which may depend on the line and the column.
  typealias Exposure = (_ x: Int, _ y: Int) -> [(code: TimeCode, part: Double)]

  func read(_ code: TimeCode, seed: UInt64 = 1) throws -> TimeCode? { try read(seed) { _, _ in [(code, 1)] } }

  func read(_ seed: UInt64, _ exposure: Exposure) throws -> TimeCode? {
    let luma = try draw(seed, exposure)
    var reader = TimeCodeReader()
    return luma.withUnsafeBytes { reader.read($0, width: width, height: height, stride: width) }
  }

  /// The picture's luma.
  func draw(_ seed: UInt64, _ exposure: Exposure) throws -> [UInt8] {
    var light = [Float](repeating: 0, count: width * height)
    var tables: [UInt32: [Bool]] = [:]
    let (cosine, sine) = (cos(angle * .pi / 180), sin(angle * .pi / 180))
    for y in 0..<height {
      for x in 0..<width {
        let codes = exposure(x, y)
        var sum = 0.0
        // Four points a pixel.
        for (across, down) in [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)] {
          let (right, below) = (Double(x) + across - Double(width) / 2, Double(y) + down - Double(height) / 2)
          let (u, v) = (right * cosine + below * sine + shear * below, below * cosine - right * sine)
          let distance = 1 + nearness * u / Double(width)
          let place = Int((u / (module * distance) + Double(TimeCode.width) / 2).rounded(.down))
          let from = abs(v / (high * distance))
          guard from < 0.5 else {
            sum += from < 0.6 ? 1 : 0.5
            continue
          }
          for (code, part) in codes {
            let table = tables[code.milliseconds] ?? Self.table(code)
            tables[code.milliseconds] = table
            let index = isMirrored ? TimeCode.width - 1 - place : place
            sum += table.indices.contains(index) ? (table[index] ? 0 : part) : 0.5 * part
          }
        }
        light[y * width + x] = Float(sum / 4)
      }
    }
    if blur > 0 { spread(&light) }
    var numbers = Numbers(seed)
    let luma = light.enumerated().map { index, light in
      let shaded = Double(light) * (1 + (shade - 1) * Double(index % width) / Double(width))
      // The sum of some is nearly normal.
      let random =
        noise == 0 ? 0 : (0..<4).reduce(0.0) { sum, _ in sum + Double.random(in: -1...1, using: &numbers) } * 0.866
      return UInt8(min(max(black + (white - black) * pow(shaded, 1 / gamma) + noise * random, 0), 255))
    }
    return quality > 0 ? try compressed(luma) : luma
  }

  private static func table(_ code: TimeCode) -> [Bool] {
    var table = [Bool](repeating: false, count: TimeCode.width)
    code.forEachBar { start, width in for module in start..<start + width { table[module] = true } }
    return table
  }

  private func spread(_ light: inout [Float]) {
    let deviation = blur * module
    let reach = Int(deviation * 2.5) + 1
    let weights = (-reach...reach).map { Float(exp(-Double($0 * $0) / (2 * deviation * deviation))) }
    let total = weights.reduce(0, +)
    for (step, count, lines, apart) in [(1, width, height, width), (width, height, width, 1)] {
      for line in 0..<lines {
        let row = (0..<count).map { light[line * apart + $0 * step] }
        for place in 0..<count {
          var sum: Float = 0
          for offset in -reach...reach { sum += row[min(max(place + offset, 0), count - 1)] * weights[offset + reach] }
          light[line * apart + place * step] = sum / total
        }
      }
    }
  }

  private func compressed(_ luma: [UInt8]) throws -> [UInt8] {
    let picture = PlanarPicture(width: width, height: height)
    let plane = picture.plane(0)
    for y in 0..<height { for x in 0..<width { plane.start[y * plane.width + x] = luma[y * width + x] } }
    var decoder = try JPEGDecoder()
    return try picture.jpeg(quality: quality).withUnsafeBytes { Array(try decoder.decode($0, to: .luma).pixels) }
  }
}
