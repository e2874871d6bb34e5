import JPEGCodec
import LinuxIO

/// What `test:` shows: a still background, a band that moves, over it the time of day and the frame's number, and at the
/// bottom the time as a code of bars, where there is room for it.
struct TestPicture: ~Copyable {
  let planes: PlanarPicture
  /// Lines of the moving band.
  private let band: Range<Int>
  /// Pixels a side of one dot of the digits.
  private let dot: Int
  /// Lines of the time code.
  private let strip: Range<Int>
  /// Pixels of one of its modules; 0: it is omitted.
  private let module: Int

  init(width: Int, height: Int) {
    planes = PlanarPicture(width: width, height: height)
    band = height / 3..<height / 3 + max(2, height / 3)
    // "00:00:00.000" and two more characters of space in the width; two lines of text in the band.
    dot = max(0, min(width / (14 * Self.cellWidth), band.count / (3 * Self.cellHeight)))
    strip = height - min(height, max(8, height / 16))..<height
    // A JPEG needs two pixels for a bar that is told from a space.
    module = width / TimeCode.width < 2 ? 0 : width / TimeCode.width
    drawBackground()
  }

  /// Draws the picture of frame `index`.
  /// - Parameter now: what it shows: nanoseconds since 1970.
  func draw(frame index: UInt64, at now: Int64 = Clock.realtime) {
    drawBand(shift: Int(truncatingIfNeeded: index &* 4))
    if dot > 0 { drawDigits(Clock.timeOfDay(at: now), index) }
    if module > 0 { drawStrip(TimeCode(at: now)) }
  }

  private func drawDigits(
    _ time: (hour: Int, minute: Int, second: Int, millisecond: Int), _ index: UInt64
  ) {
    let left = 2 * dot * Self.cellWidth / 2
    var pen = Pen(x: left, y: band.lowerBound + dot * Self.cellHeight / 3)
    draw(time.hour, digits: 2, &pen)
    draw(Self.colon, &pen)
    draw(time.minute, digits: 2, &pen)
    draw(Self.colon, &pen)
    draw(time.second, digits: 2, &pen)
    draw(Self.point, &pen)
    draw(time.millisecond, digits: 3, &pen)
    pen = Pen(x: left, y: pen.y + dot * Self.cellHeight * 4 / 3)
    draw(Int(index % 100_000_000), digits: 8, &pen)
  }

  /// The time code: one line, copied.
  private func drawStrip(_ code: TimeCode) {
    let luma = planes.plane(0)
    let first = luma.start + strip.lowerBound * luma.width
    first.update(repeating: Self.white, count: luma.width)
    let left = first + (planes.width - TimeCode.width * module) / 2
    code.forEachBar { start, width in
      (left + start * module).update(repeating: Self.black, count: width * module)
    }
    for line in 1..<strip.count {
      (first + line * luma.width).update(from: first, count: luma.width)
    }
  }

  /// Colours from left to right, light from top to bottom; none under the time code.
  private func drawBackground() {
    let luma = planes.plane(0)
    for y in 0..<luma.height {
      for x in 0..<luma.width {
        luma.start[y * luma.width + x] = UInt8(40 + (x * 3 / 4 + y) * 175 / (luma.width + luma.height))
      }
    }
    for index in 1...2 {
      let chroma = planes.plane(index)
      for y in 0..<chroma.height {
        for x in 0..<chroma.width {
          let step = x * 8 / chroma.width
          let colour = index == 1 ? 64 + step * 16 : 192 - (step * 37 % 128)
          chroma.start[y * chroma.width + x] = module > 0 && 2 * y + 1 >= strip.lowerBound ? 128 : UInt8(colour)
        }
      }
    }
  }

  /// A triangle wave that runs to the left: one line, copied.
  private func drawBand(shift: Int) {
    let luma = planes.plane(0)
    let first = luma.start + band.lowerBound * luma.width
    for x in 0..<luma.width {
      let phase = (x &+ shift) & 0x1FF
      first[x] = UInt8(truncatingIfNeeded: phase < 256 ? phase : 511 - phase)
    }
    for line in 1..<band.count {
      (first + line * luma.width).update(from: first, count: luma.width)
    }
  }

  private struct Pen {
    var x: Int
    let y: Int
  }

  private func draw(_ number: Int, digits: Int, _ pen: inout Pen) {
    var divisor = 1
    for _ in 1..<digits { divisor *= 10 }
    while divisor > 0 {
      draw(Self.digit(number / divisor % 10), &pen)
      divisor /= 10
    }
  }

  /// White on black, a cell with its space around it.
  private func draw(_ glyph: UInt64, _ pen: inout Pen) {
    let luma = planes.plane(0)
    for line in 0..<Self.cellHeight * dot {
      let row = line / dot - 1
      for column in 0..<Self.cellWidth * dot {
        let bit = column / dot - 1
        let isDot = (0..<7).contains(row) && (0..<5).contains(bit) && glyph >> UInt64(row * 5 + 4 - bit) & 1 == 1
        luma.start[(pen.y + line) * luma.width + pen.x + column] = isDot ? Self.white : Self.black
      }
    }
    pen.x += Self.cellWidth * dot
  }

  private static let black: UInt8 = 16
  private static let white: UInt8 = 235

  // A glyph has 5x7 dots in a cell of 7x9; bit 5 * row + 4 - column, the top row lowest.
  private static let cellWidth = 7
  private static let cellHeight = 9
  private static let colon: UInt64 = 0b00000_00100_00100_00000_00100_00100_00000
  private static let point: UInt64 = 0b00100_00100_00000_00000_00000_00000_00000

  private static func digit(_ value: Int) -> UInt64 {
    switch value {
    case 0: 0b01110_10001_11001_10101_10011_10001_01110
    case 1: 0b01110_00100_00100_00100_00100_01100_00100
    case 2: 0b11111_01000_00100_00010_00001_10001_01110
    case 3: 0b01110_10001_00001_00010_00100_00010_11111
    case 4: 0b00010_00010_11111_10010_01010_00110_00010
    case 5: 0b01110_10001_00001_00001_11110_10000_11111
    case 6: 0b01110_10001_10001_11110_10000_01000_00110
    case 7: 0b01000_01000_01000_00100_00010_00001_11111
    case 8: 0b01110_10001_10001_01110_10001_10001_01110
    default: 0b01100_00010_00001_01111_10001_10001_01110
    }
  }
}
