/// What stands between SOI and SOS of a JPEG that RFC 2435 can carry. Read in place, in one pass.
public struct JPEGHeader: Equatable, Sendable {
  /// The chroma sampling; the raw value is RFC 2435's type.
  public enum Sampling: UInt8, Sendable {
    /// Y 2x1, Cb and Cr 1x1.
    case yuv422 = 0
    /// Y 2x2, Cb and Cr 1x1.
    case yuv420 = 1
  }

  /// Pixels.
  public let width: UInt16
  /// Pixels.
  public let height: UInt16
  public let sampling: Sampling
  public let tables: QuantizationTables
  /// MCUs between restart markers; 0: there are none.
  public let restartInterval: UInt16
  /// Where the scan begins, in bytes from SOI.
  public let scanOffset: Int

  /// Reads the header of `jpeg`.
  /// - Throws: why it can't be carried.
  public init(_ jpeg: UnsafeRawBufferPointer) throws(JPEGFault) {
    guard jpeg.count > 0 else { throw .empty }
    var reader = ByteReader(jpeg)
    guard reader.word() == 0xFFD8 else { throw .noSOI }
    var found = Segments()
    while true {
      let (marker, segment) = try Self.segment(&reader)
      if marker == 0xDA {
        self = try found.header(scan: segment, scanOffset: reader.offset)
        return
      }
      try found.add(marker, segment)
    }
  }

  /// Where the next scan of any JPEG begins, whether or not it can be carried; nil where there is none.
  /// - Parameter start: where its segments begin.
  static func scanOffset(in jpeg: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var reader = ByteReader(jpeg, at: start)
    while let (marker, _) = try? segment(&reader) {
      if marker == 0xDA { return reader.offset }
    }
    return nil
  }

  /// The size of any JPEG in pixels, whether or not it can be carried; nil where it does not say one.
  public static func size(of jpeg: UnsafeRawBufferPointer) -> (width: UInt16, height: UInt16)? {
    var reader = ByteReader(jpeg)
    guard reader.word() == 0xFFD8 else { return nil }
    while let (marker, segment) = try? segment(&reader), marker != 0xDA {
      // SOF0 to SOF15, without DHT, JPG and DAC.
      guard (0xC0...0xCF).contains(marker), marker != 0xC4, marker != 0xC8, marker != 0xCC else { continue }
      var body = segment
      guard body.byte() != nil, let height = body.word(), let width = body.word(), width > 0, height > 0 else {
        return nil
      }
      return (width, height)
    }
    return nil
  }

  /// What stands where no header was read yet.
  static let none = JPEGHeader(
    width: 0, height: 0, sampling: .yuv420, tables: QuantizationTables(luma: .zero, chroma: .zero), restartInterval: 0,
    scanOffset: 0)

  init(
    width: UInt16, height: UInt16, sampling: Sampling, tables: QuantizationTables, restartInterval: UInt16,
    scanOffset: Int
  ) {
    self.width = width
    self.height = height
    self.sampling = sampling
    self.tables = tables
    self.restartInterval = restartInterval
    self.scanOffset = scanOffset
  }

  /// The next segment that has a length, without it.
  static func segment(_ reader: inout ByteReader) throws(JPEGFault) -> (marker: UInt8, body: ByteReader) {
    while true {
      let marker = try marker(&reader)
      // TEM and RSTn stand alone; a second SOI or an EOI does not come before SOS.
      if marker == 0x01 || (0xD0...0xD7).contains(marker) { continue }
      guard marker != 0xD8, marker != 0xD9 else { throw .noSOS }
      guard let length = reader.word() else { throw .truncated }
      guard length >= 2 else { throw .noSOS }
      guard let body = reader.take(Int(length) - 2) else { throw .truncated }
      return (marker, body)
    }
  }

  /// The next marker's code, behind any fill bytes (ITU-T T.81, B.1.1.2).
  private static func marker(_ reader: inout ByteReader) throws(JPEGFault) -> UInt8 {
    guard let first = reader.byte() else { throw .truncated }
    guard first == 0xFF else { throw .noSOS }
    while let code = reader.byte() {
      if code == 0 { throw .noSOS }
      if code != 0xFF { return code }
    }
    throw .truncated
  }
}

/// What the segments before SOS said so far.
private struct Segments {
  private struct Frame {
    var width: UInt16
    var height: UInt16
    var sampling: JPEGHeader.Sampling
    /// Identifiers and table numbers of Y, Cb and Cr.
    var identifiers: SIMD3<UInt8>
    var tableNumbers: SIMD3<UInt8>
  }

  private var frame: Frame?
  private var restartInterval: UInt16 = 0
  private var tables: (SIMD64<UInt8>?, SIMD64<UInt8>?, SIMD64<UInt8>?, SIMD64<UInt8>?)
  private var hasOtherHuffman = false

  mutating func add(_ marker: UInt8, _ segment: ByteReader) throws(JPEGFault) {
    switch marker {
    case 0xC0: try addFrame(segment)
    case 0xC4:
      guard let standard = HuffmanTables.isStandard(segment) else { throw .noSOS }
      hasOtherHuffman = hasOtherHuffman || !standard
    case 0xC1...0xCF where marker != 0xC8: throw .unsupported(.coding)
    case 0xDB: try addTables(segment)
    case 0xDD:
      var reader = segment
      guard let interval = reader.word() else { throw .noSOS }
      restartInterval = interval
    default: break
    }
  }

  /// SOF0 (ITU-T T.81, B.2.2).
  private mutating func addFrame(_ segment: ByteReader) throws(JPEGFault) {
    // A picture has one.
    guard frame == nil else { throw .noSOS }
    var reader = segment
    guard let precision = reader.byte(), let height = reader.word(), let width = reader.word(),
      let components = reader.byte()
    else { throw .noSOS }
    guard precision == 8 else { throw .unsupported(.precision) }
    guard components == 3 else { throw .unsupported(.components) }
    var identifiers = SIMD3<UInt8>()
    var factors = SIMD3<UInt8>()
    var numbers = SIMD3<UInt8>()
    for index in 0..<3 {
      guard let identifier = reader.byte(), let factor = reader.byte(), let number = reader.byte() else {
        throw .noSOS
      }
      identifiers[index] = identifier
      factors[index] = factor
      numbers[index] = number
    }
    let sampling: JPEGHeader.Sampling
    switch factors {
    case SIMD3(0x21, 0x11, 0x11): sampling = .yuv422
    case SIMD3(0x22, 0x11, 0x11): sampling = .yuv420
    default: throw .unsupported(.sampling)
    }
    // A height of 0 is said by a DNL behind the scan (B.2.5): nobody's camera does.
    guard width > 0, height > 0 else { throw .unsupported(.coding) }
    frame = Frame(
      width: width, height: height, sampling: sampling, identifiers: identifiers, tableNumbers: numbers)
  }

  /// DQT, several tables of 8 or 16 bits (B.2.4.1).
  private mutating func addTables(_ segment: ByteReader) throws(JPEGFault) {
    var reader = segment
    while let what = reader.byte() {
      let table: SIMD64<UInt8>
      switch what >> 4 {
      case 0:
        guard let bytes = reader.table() else { throw .noSOS }
        table = bytes
      case 1:
        var narrow = SIMD64<UInt8>()
        for index in 0..<64 {
          guard let value = reader.word() else { throw .noSOS }
          guard let byte = UInt8(exactly: value) else { throw .unsupported(.tables) }
          narrow[index] = byte
        }
        table = narrow
      default: throw .noSOS
      }
      switch what & 0x0F {
      case 0: tables.0 = table
      case 1: tables.1 = table
      case 2: tables.2 = table
      case 3: tables.3 = table
      default: throw .noSOS
      }
    }
  }

  private func table(_ number: UInt8) throws(JPEGFault) -> SIMD64<UInt8> {
    let table: SIMD64<UInt8>? =
      switch number {
      case 0: tables.0
      case 1: tables.1
      case 2: tables.2
      case 3: tables.3
      default: nil
      }
    guard let table else { throw .unsupported(.tables) }
    return table
  }

  /// All that was said, at SOS (B.2.3).
  func header(scan: ByteReader, scanOffset: Int) throws(JPEGFault) -> JPEGHeader {
    guard let frame else { throw .noSOS }
    if hasOtherHuffman { throw .unsupported(.huffman) }
    var reader = scan
    guard reader.byte() == 3 else { throw .unsupported(.scans) }
    for index in 0..<3 {
      guard let identifier = reader.byte(), let selectors = reader.byte() else { throw .noSOS }
      guard identifier == frame.identifiers[index] else { throw .unsupported(.scans) }
      // Luma with tables 0, chroma with tables 1: any other choice is not RFC 2435's.
      guard selectors == (index == 0 ? 0x00 : 0x11) else { throw .unsupported(.huffman) }
    }
    guard reader.byte() == 0, reader.byte() == 63, reader.byte() == 0 else { throw .unsupported(.scans) }
    let chroma = try table(frame.tableNumbers[1])
    // Cameras with a table for each component (C920) repeat Cb's for Cr: receivers know only two.
    guard try table(frame.tableNumbers[2]) == chroma else { throw .unsupported(.tables) }
    return JPEGHeader(
      width: frame.width, height: frame.height, sampling: frame.sampling,
      tables: QuantizationTables(luma: try table(frame.tableNumbers[0]), chroma: chroma),
      restartInterval: restartInterval, scanOffset: scanOffset)
  }
}
