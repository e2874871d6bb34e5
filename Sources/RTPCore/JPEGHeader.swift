/// What stands between SOI and SOS of a JPEG that RFC 2435 can carry. Read in place, in one pass, as decoders read it: see
/// `JPEGSegments`.
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
  /// Where the scan begins, in bytes from the frame's start.
  public let scanOffset: Int
  /// Where the picture's SOI is: so many bytes of the frame are skipped.
  public let start: Int
  /// Which field it is, by an APP0 "AVI1": see `JPEGExtent`.
  let polarity: UInt8?

  /// By its AVI1 segment it is one field of an interlaced frame: the upper or the lower one.
  public var isField: Bool { polarity == 1 || polarity == 2 }

  /// Reads the header of a camera's frame.
  /// - Parameters:
  ///   - frame: what stands before its first SOI is skipped. Where another SOI comes before SOS, the header begins there.
  ///   - offset: where to look for it.
  /// - Throws: why it can't be carried.
  public init(_ frame: UnsafeRawBufferPointer, from offset: Int = 0) throws(JPEGFault) {
    guard frame.count > 0 else { throw .empty }
    guard var start = JPEGExtent.firstSOI(in: frame, from: offset) else { throw .noSOI }
    var segments = JPEGSegments(frame, at: start + 2)
    var found = Segments()
    while true {
      switch try segments.next() {
      case .soi(let place):
        start = place
        found = Segments()
      case .eoi: throw .noSOS
      case .segment(0xDA, let scan):
        self = try found.header(scan: scan, scanOffset: segments.offset, start: start)
        return
      case .segment(let marker, let body): try found.add(marker, body)
      }
    }
  }

  /// Whether so many bytes of scan are fewer than seven eighths of its MCUs take at least. Each block has a code for DC and
  /// one for the end of the block, of 2 and 4 bits for luma, 2 and 2 for chroma (T.81, K.3): 4 bytes an MCU in 4:2:0, 2.5 in
  /// 4:2:2. Encoders write all MCUs; a camera that loses the rest of a picture may still end it with EOI.
  func isCut(scanSize: Int) -> Bool {
    let columns = (Int(width) + 15) / 16
    let bits =
      switch sampling {
      case .yuv420: columns * ((Int(height) + 15) / 16) * 32
      case .yuv422: columns * ((Int(height) + 7) / 8) * 20
      }
    return scanSize * 8 < bits - bits / 8
  }

  /// What stands where no header was read yet.
  static let none = JPEGHeader(
    width: 0, height: 0, sampling: .yuv420, tables: QuantizationTables(luma: .zero, chroma: .zero), restartInterval: 0,
    scanOffset: 0)

  init(
    width: UInt16, height: UInt16, sampling: Sampling, tables: QuantizationTables, restartInterval: UInt16,
    scanOffset: Int, start: Int = 0, polarity: UInt8? = nil
  ) {
    self.width = width
    self.height = height
    self.sampling = sampling
    self.tables = tables
    self.restartInterval = restartInterval
    self.scanOffset = scanOffset
    self.start = start
    self.polarity = polarity
  }
}

/// The contents of the segments before SOS, as far as they were read.
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
  private var isJFIF = false
  /// APP14 "Adobe": 0 where the components are not transformed from red, green and blue.
  private var adobeTransform: UInt8?
  private var polarity: UInt8?

  mutating func add(_ marker: UInt8, _ segment: ByteReader) throws(JPEGFault) {
    switch marker {
    case 0xC0: try addFrame(segment)
    case 0xC4:
      guard let standard = HuffmanTables.isStandard(segment) else { throw .malformedHeader }
      hasOtherHuffman = hasOtherHuffman || !standard
    case 0xCC: throw .unsupported(.coding)
    case 0xC1...0xCF where marker != 0xC8:
      guard frame == nil else { throw .malformedHeader }
      try checkFrame(segment)
      throw .unsupported(.coding)
    case 0xDB: try addTables(segment)
    case 0xDD:
      var reader = segment
      guard let interval = reader.word() else { throw .malformedHeader }
      restartInterval = interval
    case 0xE0:
      if let polarity = JPEGExtent.polarity(segment) { self.polarity = polarity }
      // As libjpeg has it: "JFIF", a zero, and all of its 14 bytes.
      var reader = segment
      if segment.remaining >= 14, reader.doubleWord() == 0x4A46_4946, reader.byte() == 0 { isJFIF = true }
    case 0xEE:
      var reader = segment
      guard segment.remaining >= 12, reader.doubleWord() == 0x4164_6F62, reader.byte() == 0x65 else { break }
      _ = reader.take(6)
      adobeTransform = reader.byte()
    default: break
    }
  }

  /// The components are red, green and blue, by what libjpeg takes for a sign of that (jdapimin.c): JPEG itself has no
  /// field for it.
  private func isRGB(_ frame: Frame) -> Bool {
    if isJFIF { return false }
    if let adobeTransform { return adobeTransform == 0 }
    return frame.identifiers == SIMD3(0x52, 0x47, 0x42)
  }

  /// SOF0 (ITU-T T.81, B.2.2).
  private mutating func addFrame(_ segment: ByteReader) throws(JPEGFault) {
    // A picture has one.
    guard frame == nil else { throw .malformedHeader }
    var reader = segment
    guard let precision = reader.byte(), let height = reader.word(), let width = reader.word(),
      let components = reader.byte()
    else { throw .malformedHeader }
    try check(precision, width: width, height: height)
    guard components == 3 else { throw .unsupported(.components) }
    var identifiers = SIMD3<UInt8>()
    var factors = SIMD3<UInt8>()
    var numbers = SIMD3<UInt8>()
    for index in 0..<3 {
      guard let identifier = reader.byte(), let factor = reader.byte(), let number = reader.byte() else {
        throw .malformedHeader
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
    frame = Frame(
      width: width, height: height, sampling: sampling, identifiers: identifiers, tableNumbers: numbers)
  }

  /// A frame header of another coding.
  private func checkFrame(_ segment: ByteReader) throws(JPEGFault) {
    var reader = segment
    guard let precision = reader.byte(), let height = reader.word(), let width = reader.word() else { return }
    try check(precision, width: width, height: height)
  }

  private func check(_ precision: UInt8, width: UInt16, height: UInt16) throws(JPEGFault) {
    guard precision == 8 else { throw .unsupported(.precision) }
    guard width > 0 else { throw .malformedHeader }
    // A DNL after the scan has it (B.2.5), which decoders do not support either.
    guard height > 0 else { throw .unsupported(.height) }
  }

  /// DQT, several tables of 8 or 16 bits (B.2.4.1).
  private mutating func addTables(_ segment: ByteReader) throws(JPEGFault) {
    var reader = segment
    while let what = reader.byte() {
      let table: SIMD64<UInt8>?
      switch what >> 4 {
      case 0:
        // What is less than a table is no table: decoders look for the next marker.
        guard let bytes = reader.table() else { return }
        table = bytes
      default:
        // 1; more than that libjpeg takes for 16 bits as well.
        guard let words = reader.take(128) else { return }
        table = Self.narrow(words)
      }
      switch what & 0x0F {
      case 0: tables.0 = table
      case 1: tables.1 = table
      case 2: tables.2 = table
      case 3: tables.3 = table
      default: throw .malformedHeader
      }
    }
  }

  /// A table of 16-bit values in 8 bits; nil where they need more, which matters only if a component uses it.
  private static func narrow(_ words: ByteReader) -> SIMD64<UInt8>? {
    var words = words
    var table = SIMD64<UInt8>()
    for index in 0..<64 {
      guard let value = words.word(), let byte = UInt8(exactly: value) else { return nil }
      table[index] = byte
    }
    return table
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

  /// The whole header, at SOS (B.2.3).
  func header(scan: ByteReader, scanOffset: Int, start: Int) throws(JPEGFault) -> JPEGHeader {
    guard let frame else { throw .malformedHeader }
    if isRGB(frame) { throw .unsupported(.colours) }
    if hasOtherHuffman { throw .unsupported(.huffman) }
    var reader = scan
    guard reader.byte() == 3 else { throw .unsupported(.scans) }
    for index in 0..<3 {
      guard let identifier = reader.byte(), let selectors = reader.byte() else { throw .malformedHeader }
      guard identifier == frame.identifiers[index] else { throw .unsupported(.scans) }
      // Luma with tables 0, chroma with tables 1: any other choice is not RFC 2435's.
      guard selectors == (index == 0 ? 0x00 : 0x11) else { throw .unsupported(.huffman) }
    }
    // Spectral selection and approximation mean nothing in baseline JPEG, and cameras write anything there: decoders do not
    // look at them, and RTP/JPEG does not carry them.
    guard reader.take(3) != nil else { throw .malformedHeader }
    let chroma = try table(frame.tableNumbers[1])
    // Cameras with a table for each component (C920) repeat Cb's for Cr: receivers know only two.
    guard try table(frame.tableNumbers[2]) == chroma else { throw .unsupported(.tables) }
    return JPEGHeader(
      width: frame.width, height: frame.height, sampling: frame.sampling,
      tables: QuantizationTables(luma: try table(frame.tableNumbers[0]), chroma: chroma),
      restartInterval: restartInterval, scanOffset: scanOffset, start: start, polarity: polarity)
  }
}
