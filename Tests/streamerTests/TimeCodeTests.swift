import JPEGCodec
import LinuxIO
import Testing

@testable import streamer

@Suite struct TimeCodeTests {
  private func codes(_ count: Int, seed: UInt64) -> [TimeCode] {
    var numbers = Numbers(seed)
    return (0..<count).map { _ in TimeCode(at: .random(in: 0...4_000_000_000_000_000_000, using: &numbers)) }
  }

  @Test func timesAreRead() {
    for code in codes(1000, seed: 1) + [TimeCode(at: 0), TimeCode(at: 0xFF_FFFF * 1_000_000)] {
      #expect(TimeCode(bits: code.bits) == code)
    }
    #expect(TimeCode(at: 1_700_000_000_123_456_789).milliseconds == 1_700_000_000_123 % (1 << 24))
  }

  /// By hand: 0x000001 has 23 zeros; CRC-8/AUTOSAR of 00 00 01 is 0xFF as it begins, without what is XORed at the end.
  @Test func theBitsAreTheFormats() {
    let code = TimeCode(at: 1_000_000)
    #expect(code.bits >> 32 == 23 && code.bits >> 8 & 0xFF_FFFF == 1)
    var rest: UInt64 = 0xFF
    for byte: UInt64 in [0, 0, 1] {
      rest ^= byte
      for _ in 0..<8 { rest = rest & 0x80 != 0 ? (rest << 1 ^ 0x12F) & 0xFF : rest << 1 }
    }
    #expect(code.bits & 0xFF == rest)
    var bars: [(Int, Int)] = []
    code.forEachBar { bars.append(($0, $1)) }
    #expect(bars.count == 39 && bars[0] == (3, 5) && bars[1] == (10, 2) && bars[2] == (13, 1) && bars[38] == (121, 3))
    #expect(TimeCode.width == 127)
  }

  @Test func theNearestInstantIsMeant() {
    let now: Int64 = 1_700_000_000_123_456_789
    for age: Int64 in [0, 1, 17, 8_000_000, -1, -8_000_000] {
      let code = TimeCode(at: now - age * 1_000_000)
      #expect(code.age(at: now) == age * 1_000_000 + 456_789)
    }
    // Where the 24 bits begin anew.
    let start: Int64 = (101_327 << 24) * 1_000_000
    #expect(TimeCode(at: start - 5_000_000).milliseconds > TimeCode(at: start).milliseconds)
    #expect(TimeCode(at: start - 5_000_000).age(at: start + 3_000_000) == 8_000_000)
    #expect(TimeCode(at: start + 5_000_000).age(at: start - 3_000_000) == -8_000_000)
  }

  /// One bit or two that are wrong are always found; of all the rest one in 8192 is not.
  @Test func wrongBitsAreFound() {
    for code in codes(20, seed: 2) {
      for one in 0..<TimeCode.bitCount {
        for other in 0..<TimeCode.bitCount {
          #expect(TimeCode(bits: code.bits ^ 1 << UInt64(one) ^ (one == other ? 0 : 1 << UInt64(other))) == nil)
        }
      }
    }
    var numbers = Numbers(3)
    let accepted = (0..<400_000).count { _ in
      TimeCode(bits: .random(in: 0..<1 << UInt64(TimeCode.bitCount), using: &numbers)) != nil
    }
    #expect((25...75).contains(accepted))
  }

  /// Two codes laid over each other, and two that are spliced, are one of the two, or nothing.
  @Test func noTwoMakeAThird() {
    for (index, code) in codes(20_000, seed: 4).enumerated() {
      // Of displays of 30 to 240 pictures a second, and of anything.
      let next = Int64(index % 4 == 0 ? 1 << 23 + index : 4 + index % 30)
      let other = TimeCode(at: (Int64(code.milliseconds) + next) * 1_000_000)
      let (a, b) = (code.bits, other.bits)
      for mixed in [a & b, a | b] {
        if let read = TimeCode(bits: mixed) { #expect(read == code || read == other) }
      }
      guard code.milliseconds >> 8 == other.milliseconds >> 8 else { continue }
      for place in 0..<UInt64(TimeCode.bitCount) {
        let low: UInt64 = 1 << place - 1
        if let read = TimeCode(bits: a & low | b & ~low) { #expect(read == code || read == other) }
      }
    }
  }
}

@Suite struct TimeCodeReaderTests {
  private let code = TimeCode(at: 1_763_740_800_123_000_000)

  /// What is wrong with how it is seen, one thing after the other.
  @Test(arguments: [
    ("plain", CodePicture()), ("2 pixels", CodePicture(module: 2, high: 20)),
    ("1.7 pixels", CodePicture(module: 1.7, high: 20)), ("large", CodePicture(width: 1280, height: 120, module: 9.7)),
    ("few lines", CodePicture(high: 16)), ("upside down", CodePicture(angle: 180)),
    ("mirrored", CodePicture(isMirrored: true)), ("mirrored, upside down", CodePicture(angle: 180, isMirrored: true)),
    ("turned to the right", CodePicture(width: 220, height: 640, angle: 90)),
    ("turned to the left", CodePicture(width: 220, height: 640, angle: -90)),
    ("by 5 degrees", CodePicture(angle: 5)), ("by -9 degrees", CodePicture(angle: -9)),
    ("by 12 degrees, small", CodePicture(module: 2.5, high: 90, angle: 12)),
    ("leaning", CodePicture(module: 3.5, high: 60, shear: 0.4)),
    ("from the side", CodePicture(nearness: 0.4)), ("from the other side", CodePicture(module: 3.7, nearness: -0.5)),
    ("blurred", CodePicture(blur: 0.65)), ("blurred, with a camera's gamma", CodePicture(blur: 0.65, gamma: 2.2)),
    ("blurred and small", CodePicture(module: 2.2, high: 40, blur: 0.55)),
    ("low contrast", CodePicture(black: 110, white: 134)), ("overexposed", CodePicture(black: 140, white: 255)),
    ("dark", CodePicture(black: 2, white: 40)), ("fading light", CodePicture(shade: 0.25)),
    ("rising light", CodePicture(white: 60, shade: 4)), ("noisy", CodePicture(noise: 20)),
    ("noisy and dark", CodePicture(black: 5, white: 80, noise: 6)), ("JPEG", CodePicture(quality: 30)),
    ("JPEG, 2 pixels", CodePicture(module: 2, high: 20, quality: 30)), ("coarse JPEG", CodePicture(quality: 10)),
    (
      "all of it",
      CodePicture(
        module: 3.3, angle: -4, shear: 0.05, nearness: 0.2, isMirrored: true, blur: 0.35, black: 40, white: 180,
        shade: 0.6, noise: 6, gamma: 2.2, quality: 50)
    ),
  ])
  func isRead(name: String, picture: CodePicture) throws {
    var numbers = Numbers(5)
    for seed: UInt64 in 0..<3 {
      let code = TimeCode(at: .random(in: 0...4_000_000_000_000_000_000, using: &numbers))
      let read = try picture.read(code, seed: seed)
      #expect(read == code, "\(name)")
    }
  }

  /// Of all sizes that the strip of `test:` has, through JPEG.
  @Test(arguments: [(254, 16), (320, 240), (333, 77), (640, 480), (641, 361), (1280, 720), (1920, 1080)])
  func theTestPictureShowsIt(width: Int, height: Int) throws {
    let now: Int64 = 1_763_740_800_987_654_321
    let picture = TestPicture(width: width, height: height)
    picture.draw(frame: 12_345, at: now)
    var reader = try GlassReader()
    for quality in [20, 80, 100] {
      let jpeg = try picture.planes.jpeg(quality: quality)
      let latency = jpeg.withUnsafeBytes { reader.latency(of: $0, arrival: now + 21_000_000) }
      #expect(latency == 21_654_321, "quality \(quality)")
    }
    let (read, unread, ahead) = (reader.latency.count, reader.unread, reader.ahead)
    #expect(read == 3 && unread == 0 && ahead == 0)
  }

  @Test func clocksThatDifferAreCounted() throws {
    let jpeg = try TestJPEG.make(width: 320, height: 240)
    var reader = try GlassReader()
    let now = Clock.realtime
    let late = jpeg.withUnsafeBytes { reader.latency(of: $0, arrival: now + 5_000_000_000) } ?? 0
    let early = jpeg.withUnsafeBytes { reader.latency(of: $0, arrival: now - 5_000_000_000) } ?? 0
    let none = [UInt8](jpeg.prefix(2000)).withUnsafeBytes { reader.latency(of: $0, arrival: now) }
    #expect((5_000_000_000...10_000_000_000).contains(late) && (-5_000_000_000 ..< -1_000_000_000).contains(early))
    #expect(none == nil)
    let (read, unread, ahead) = (reader.latency.count, reader.unread, reader.ahead)
    #expect(read == 1 && unread == 1 && ahead == 1)
  }

  /// Two codes in one exposure, in any parts, with any tone curve: one of the two is read, or none.
  @Test(arguments: [1.0, 1.8, 2.2, 2.8]) func noExposureOfTwoMakesAThird(gamma: Double) throws {
    var numbers = Numbers(6)
    var (reads, mixed) = (0, 0)
    for step in 0...40 {
      let first = TimeCode(at: .random(in: 0...4_000_000_000_000_000_000, using: &numbers))
      let second = TimeCode(at: (Int64(first.milliseconds) + .random(in: 1...40, using: &numbers)) * 1_000_000)
      let part = Double(step) / 40
      var picture = CodePicture(width: 400, height: 24, module: 3, high: 24, gamma: gamma)
      (picture.noise, picture.blur) = step % 2 == 0 ? (0, 0) : (8, 0.3)
      let read = try picture.read(UInt64(step)) { _, _ in [(first, part), (second, 1 - part)] }
      #expect(read == nil || read == first || read == second, "\(first) \(second) \(part)")
      if read != nil { reads += 1 } else { mixed += 1 }
    }
    // Short overlaps are read, others are not.
    #expect(reads >= 4 && mixed >= 6, "\(reads) read, \(mixed) not")
  }

  /// Exposures of some pictures of a display: what is read was shown in one of them.
  @Test(arguments: [60.0, 144.0]) func noLongExposureMakesATimeThatWasNotShown(rate: Double) throws {
    var numbers = Numbers(9)
    let interval = 1000 / rate
    for step in 0..<40 {
      let begin = Double.random(in: 1_763_740_800_000...1_763_740_999_999, using: &numbers)
      let end = begin + Double(step)
      var shown: [(code: TimeCode, part: Double)] = []
      for index in Int((begin / interval).rounded(.down))...Int((end / interval).rounded(.down)) {
        let (from, until) = (Double(index) * interval, Double(index + 1) * interval)
        let part = end > begin ? (min(until, end) - max(from, begin)) / (end - begin) : 1
        shown.append((TimeCode(at: Int64(from) * 1_000_000), part))
      }
      let picture = CodePicture(
        width: 400, height: 8, module: 3, high: 24, blur: 0.2, noise: 4, gamma: step % 2 == 0 ? 1 : 2.2)
      let read = try picture.read(UInt64(step)) { _, _ in shown }
      if let read { #expect(shown.contains { $0.code == read }, "\(end - begin) ms") }
    }
  }

  /// The display changes while the lines are exposed, one after the other: along the code, and across it.
  @Test func noRollingShutterMakesAThird() throws {
    var numbers = Numbers(7)
    for step in 0..<40 {
      let first = TimeCode(at: .random(in: 0...4_000_000_000_000_000_000, using: &numbers))
      let second = TimeCode(at: (Int64(first.milliseconds) + .random(in: 1...40, using: &numbers)) * 1_000_000)
      let across = step % 2 == 0
      // From the one to the other within so many pixels.
      let (place, soft) = (Double(step) * (across ? 10 : 0.6), Double(step % 5) * 4 + 0.1)
      let picture = CodePicture(width: 400, height: 24, module: 3, high: 24, gamma: step % 3 == 0 ? 1 : 2.2)
      let read = try picture.read(UInt64(step)) { x, y in
        let part = min(max((Double(across ? x : y) - place) / soft + 0.5, 0), 1)
        return [(first, part), (second, 1 - part)]
      }
      #expect(read == nil || read == first || read == second)
      if !across { #expect(read != nil) }
    }
  }

  /// Noise, soft noise, bars of random widths, and even stripes.
  @Test func whatIsNoCodeIsNotRead() {
    var numbers = Numbers(8)
    var reader = TimeCodeReader()
    let (width, height) = (400, 64)
    for round in 0..<400 {
      var luma = [UInt8](repeating: 0, count: width * height)
      var line = [UInt8](repeating: 0, count: width)
      let wide = 1 + round / 4 % 6
      for y in 0..<height {
        if y == 0 || round % 4 < 2 {
          var x = 0
          while x < width {
            let run =
              switch round % 4 {
              case 0: 1
              case 1: wide
              case 2: Int.random(in: 1...3, using: &numbers) * wide
              default: 3 * wide / 2
              }
            let level: UInt8 =
              round % 4 < 2 ? .random(in: 0...255, using: &numbers) : x / (3 * wide) % 2 == 0 ? 20 : 220
            for place in x..<min(x + run, width) {
              line[place] = round % 4 == 2 ? (line[max(0, x - 1)] < 128 ? 220 : 20) : level
            }
            x += run
          }
        }
        for x in 0..<width { luma[y * width + x] = line[x] }
      }
      let read = luma.withUnsafeBytes { reader.read($0, width: width, height: height, stride: width) }
      #expect(read == nil, "round \(round)")
    }
  }

  /// A code whose bits are wrong is none, however well it is drawn.
  @Test func aCodeOfWrongBitsIsNotRead() throws {
    var reader = TimeCodeReader()
    let (width, height) = (TimeCode.width * 3, 16)
    var reads = 0
    for wrong in 0..<TimeCode.bitCount {
      var line = [UInt8](repeating: 235, count: width)
      var bar = 0
      code.forEachBar { start, wide in
        let isWrong = bar == wrong + 1
        bar += 1
        for place in start * 3..<(start + (isWrong ? 3 - wide : wide)) * 3 { line[place] = 16 }
      }
      let luma = (0..<height).flatMap { _ in line }
      if luma.withUnsafeBytes({ reader.read($0, width: width, height: height, stride: width) }) != nil { reads += 1 }
    }
    #expect(reads == 0)
  }

  @Test func noGeometryIsAFault() {
    var reader = TimeCodeReader()
    let memory = [UInt8](repeating: 100, count: 70_000)
    let sizes = [-1, 0, 1, 2, 3, 126, 127, 128, 255, 4096, 65_535, 70_000, Int.max / 2, Int.max, Int.min]
    memory.withUnsafeBytes { memory in
      for width in sizes {
        for height in sizes {
          for stride in sizes {
            #expect(reader.read(memory, width: width, height: height, stride: stride) == nil)
          }
        }
      }
      #expect(reader.read(UnsafeRawBufferPointer(start: nil, count: 0), width: 1, height: 1, stride: 1) == nil)
    }
  }

  /// A picture whose lines lie apart, the last of them not filled up.
  @Test func linesMayLieApart() throws {
    let luma = try CodePicture().draw(1) { _, _ in [(code, 1)] }
    var apart = [UInt8]()
    for y in 0..<220 { apart += luma[y * 640..<(y + 1) * 640] + [UInt8](repeating: 7, count: y < 219 ? 33 : 0) }
    var reader = TimeCodeReader()
    let read = apart.withUnsafeBytes { reader.read($0, width: 640, height: 220, stride: 673) }
    #expect(read == code)
  }
}
