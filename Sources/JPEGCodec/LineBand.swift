/// The lines of one row of MCUs, as libjpeg-turbo wants them: taken apart, halved in height, brought to JPEG's colours,
/// made longer to whole blocks.
///
/// They are in memory that stays in the CPU's cache, also where the picture's own lines would do: the library reads
/// blocks, from 32 places at once, which costs a tenth to a fifth more of a 1080p frame where they come from afar than
/// line by line does (`make bench-encode`).
struct LineBand: ~Copyable {
  /// Lines of the picture in it: 16 in 4:2:0, else 8; of RGB always 16.
  let lines: Int
  /// The lines of Y, or of pixels; then those of Cb and of Cr.
  let luma: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  let blue: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  let red: UnsafeMutablePointer<UnsafePointer<UInt8>?>

  private let format: RawFormat
  private let width: Int
  private let height: Int
  /// Of colour.
  private let chromaWidth: Int
  /// Lines of the JPEG that share one of colour.
  private let share: Int
  private let colours: ColourConversion?
  /// Memory for lines, each of `room` bytes: of all lines as they are taken apart, and of all as they are converted.
  private let memory: UnsafeMutablePointer<UInt8>
  private let room: Int
  private let shares: UnsafeMutablePointer<UInt16>
  /// A line of 128s: no colour; and what is missing.
  private let neutral: UnsafeMutablePointer<UInt8>

  /// Lines of colour.
  private static let chromaLines = 8
  /// One set of lines, 16 + 8 + 8.
  private static let set = 32

  init(_ format: RawFormat, width: Int, height: Int, colour: Colour, subsampling: Subsampling) {
    self.format = format
    self.width = width
    self.height = height
    share = subsampling.linesPerChroma
    lines = format.isRGB ? 16 : Self.chromaLines * share
    chromaWidth = (width + 1) / 2
    colours = ColourConversion(from: colour, isRGB: format.isRGB)
    let longest = max(format.lineBytes(0, width: width), format.lineBytes(1, width: width), 2 * chromaWidth)
    room = (longest + 63) / 64 * 64 + 64
    memory = .allocate(capacity: room * (2 * Self.set + 2))
    neutral = memory + room * 2 * Self.set
    neutral.initialize(repeating: 128, count: room)
    shares = .allocate(capacity: chromaWidth)
    shares.initialize(repeating: 0, count: chromaWidth)
    luma = .allocate(capacity: Self.set)
    luma.initialize(repeating: nil, count: Self.set)
    (blue, red) = (luma + 16, luma + 24)
  }

  deinit {
    memory.deallocate()
    shares.deallocate()
    luma.deallocate()
  }

  /// Memory for line `index` as it is taken apart (`luma`, `blue` and `red` in turn).
  private func taken(_ index: Int) -> UnsafeMutablePointer<UInt8> { memory + index * room }
  /// Memory for line `index` as it is converted.
  private func converted(_ index: Int) -> UnsafeMutablePointer<UInt8> { memory + (Self.set + index) * room }
  private var scratch: UnsafeMutablePointer<UInt8> { neutral + room }

  /// Line `index` of a plane, or the last; one that is missing is grey.
  private func line(_ plane: RawPicture.Plane, _ index: Int, of count: Int) -> UnsafePointer<UInt8> {
    let index = min(index, count - 1)
    guard let start = plane.start, index < plane.lines else { return UnsafePointer(neutral) }
    return start + index * plane.stride
  }

  /// Lines of pixels from `first` on.
  /// - Returns: how many there are.
  func readPixels(_ picture: RawPicture, from first: Int) -> Int {
    let count = min(lines, height - first)
    let bytes = format.lineBytes(0, width: width)
    for index in 0..<count {
      let line = line(picture.planes.0, first + index, of: height)
      luma[index] = line
      guard let colours, line != UnsafePointer(neutral) else { continue }
      colours.convert(line, count: bytes, into: converted(index))
      luma[index] = UnsafePointer(converted(index))
    }
    return count
  }

  /// Lines of planes from `first` on, which is a multiple of `lines`.
  func readPlanes(_ picture: RawPicture, from first: Int) {
    for index in 0..<lines { luma[index] = readLuma(picture, first + index, index) }
    for index in 0..<Self.chromaLines { readChroma(picture, first / share + index, index) }
    if let colours { convert(colours) }
    lengthen(0..<lines, from: width)
    lengthen(16..<32, from: chromaWidth)
  }

  private func readLuma(_ picture: RawPicture, _ number: Int, _ index: Int) -> UnsafePointer<UInt8> {
    let line = line(picture.planes.0, number, of: height)
    switch format {
    case .yuyv, .yvyu: Lines.pick(line, second: false, count: width, into: taken(index))
    case .uyvy, .vyuy: Lines.pick(line, second: true, count: width, into: taken(index))
    case .p010: Lines.narrow(line, count: width, into: taken(index))
    default:
      // Converting them brings them here.
      if colours != nil { return line }
      taken(index).update(from: line, count: width)
    }
    return UnsafePointer(taken(index))
  }

  /// Line `number` of the JPEG's colour, or the last.
  private func readChroma(_ picture: RawPicture, _ number: Int, _ index: Int) {
    let number = min(number, (height + share - 1) / share - 1)
    let (blueRoom, redRoom) = (taken(16 + index), taken(24 + index))
    switch format {
    case .yuv420, .yuv422:
      blue[index] = chromaLine(picture.planes.1, number, count: chromaWidth, into: blueRoom)
      red[index] = chromaLine(picture.planes.2, number, count: chromaWidth, into: redRoom)
      guard colours == nil else { break }
      if let line = blue[index], line != blueRoom { blueRoom.update(from: line, count: chromaWidth) }
      if let line = red[index], line != redRoom { redRoom.update(from: line, count: chromaWidth) }
      (blue[index], red[index]) = (UnsafePointer(blueRoom), UnsafePointer(redRoom))
    case .nv12, .nv21, .nv16, .nv61:
      let line = chromaLine(picture.planes.1, number, count: 2 * chromaWidth, into: scratch)
      split(line, index, blueRoom, redRoom)
    case .yuv444:
      let (first, second) = (chromaLines(picture.planes.1, number), chromaLines(picture.planes.2, number))
      Lines.halve(first.0, first.1, width: width, into: blueRoom)
      Lines.halve(second.0, second.1, width: width, into: redRoom)
      (blue[index], red[index]) = (UnsafePointer(blueRoom), UnsafePointer(redRoom))
    case .nv24, .nv42:
      let (first, second) = format.isSwapped ? (redRoom, blueRoom) : (blueRoom, redRoom)
      let (one, other) = chromaLines(picture.planes.1, number)
      Lines.halvePairs(one, other, width: width, into: first, second)
      (blue[index], red[index]) = (UnsafePointer(blueRoom), UnsafePointer(redRoom))
    case .p010:
      let line = chromaLine(picture.planes.1, number, count: 4 * chromaWidth, into: scratch)
      let pairs = converted(16)
      Lines.narrow(line, count: 2 * chromaWidth, into: pairs)
      split(UnsafePointer(pairs), index, blueRoom, redRoom)
    case .yuyv, .yvyu, .uyvy, .vyuy:
      // What is halved is the whole line, Y with it, so that it is taken apart once.
      let line = chromaLine(picture.planes.0, number, count: 4 * chromaWidth, into: scratch)
      let pairs = converted(16)
      Lines.pick(line, second: format == .yuyv || format == .yvyu, count: 2 * chromaWidth, into: pairs)
      split(UnsafePointer(pairs), index, blueRoom, redRoom)
    case .grey, .rgb:
      (blue[index], red[index]) = (UnsafePointer(neutral), UnsafePointer(neutral))
    }
  }

  private func split(
    _ line: UnsafePointer<UInt8>, _ index: Int, _ blueRoom: UnsafeMutablePointer<UInt8>,
    _ redRoom: UnsafeMutablePointer<UInt8>
  ) {
    let (first, second) = format.isSwapped ? (redRoom, blueRoom) : (blueRoom, redRoom)
    Lines.split(line, count: chromaWidth, into: first, second)
    (blue[index], red[index]) = (UnsafePointer(blueRoom), UnsafePointer(redRoom))
  }

  /// The lines of a plane with all colour that line `number` of the JPEG's is made of: two, or one twice.
  private func chromaLines(
    _ plane: RawPicture.Plane, _ number: Int
  ) -> (UnsafePointer<UInt8>, UnsafePointer<UInt8>) {
    (line(plane, share * number, of: height), line(plane, share * (number + 1) - 1, of: height))
  }

  /// Line `number` of the JPEG's colour out of a plane's lines: one of them, or the mean of two.
  private func chromaLine(
    _ plane: RawPicture.Plane, _ number: Int, count: Int, into room: UnsafeMutablePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    let sourceLines = (height + format.linesPerChroma - 1) / format.linesPerChroma
    guard share > format.linesPerChroma else {
      return line(plane, number * share / format.linesPerChroma, of: sourceLines)
    }
    let (one, other) = (line(plane, 2 * number, of: sourceLines), line(plane, 2 * number + 1, of: sourceLines))
    Lines.average(one, other, count: count, into: room)
    return UnsafePointer(room)
  }

  /// To JPEG's colours.
  private func convert(_ colours: ColourConversion) {
    let hasColour = format != .grey
    for index in 0..<Self.chromaLines {
      guard let oldBlue = blue[index], let oldRed = red[index] else { continue }
      let mine = index * share..<(index + 1) * share
      if colours.mixes && hasColour { colours.share(oldBlue, oldRed, count: chromaWidth, into: shares) }
      for number in mine {
        guard let line = luma[number], line != UnsafePointer(neutral) else { continue }
        if colours.mixes && hasColour {
          colours.convert(line, with: shares, count: width, into: converted(number))
        } else {
          colours.convert(line, count: width, into: converted(number))
        }
        luma[number] = UnsafePointer(converted(number))
      }
      guard hasColour else { continue }
      colours.convert(
        oldBlue, oldRed, count: chromaWidth, into: converted(16 + index), converted(24 + index))
      (blue[index], red[index]) = (UnsafePointer(converted(16 + index)), UnsafePointer(converted(24 + index)))
    }
  }

  /// Repeats the last sample of lines that end within a block of 8.
  private func lengthen(_ indexes: Range<Int>, from width: Int) {
    let whole = (width + 7) / 8 * 8
    guard whole > width else { return }
    for index in indexes {
      guard let line = luma[index], line != UnsafePointer(neutral) else { continue }
      // All others are this band's own.
      let room = UnsafeMutablePointer(mutating: line)
      (room + width).update(repeating: room[width - 1], count: whole - width)
    }
  }
}
