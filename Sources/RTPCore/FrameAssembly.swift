/// One packet's payload, read.
struct Fragment {
  /// Why a payload is not read.
  enum Refusal: Error {
    case malformed
    /// It has quantization tables of 16 bits (RFC 2435, 3.1.8: precision).
    case wideTables
  }

  let header: JPEGPayloadHeader
  let restart: RestartHeader?
  /// Only a frame's first packet can have them.
  let tables: QuantizationTables?
  let onvif: ByteReader?
  let scan: UnsafeRawBufferPointer

  init(_ packet: RTPPacket) throws(Refusal) {
    var reader = ByteReader(packet.payload)
    guard let header = JPEGPayloadHeader(&reader), [0, 1, 64, 65].contains(header.type) else { throw .malformed }
    self.header = header
    if header.type >= 64 {
      guard let restart = RestartHeader(&reader) else { throw .malformed }
      self.restart = restart
    } else {
      restart = nil
    }
    var tables: QuantizationTables?
    if header.offset == 0, header.q >= 128 {
      // RFC 2435, 3.1.8: MBZ, precision (a bit a table, 1: 16 bits), length.
      guard reader.byte() != nil, let precision = reader.byte(), let length = reader.word(),
        var body = reader.take(Int(length))
      else { throw .malformed }
      // No tables: those that came with this Q before.
      if length > 0 {
        guard precision == 0 else { throw .wideTables }
        guard let luma = body.table() else { throw .malformed }
        tables = QuantizationTables(luma: luma, chroma: body.table() ?? luma)
      }
    }
    self.tables = tables
    onvif = packet.onvif
    scan = reader.rest
  }
}

/// A frame that is being put together, in memory of its own.
struct FrameAssembly: ~Copyable {
  /// Room for the file's header, a scan, and an EOI.
  private let memory: UnsafeMutableRawPointer
  private let largestScan: Int
  /// A large frame has some 1500 packets: with every other one missing, 750 ranges.
  static let maximumRanges = 1024
  /// nil: no frame is under way.
  private(set) var timestamp: UInt32?
  private(set) var header = JPEGPayloadHeader(offset: 0, type: 0, q: 0, width: 0, height: 0)
  /// Of the first packet.
  private(set) var tables: QuantizationTables?
  private var fields: OnvifExtension.Fields?
  private var restartInterval: UInt16 = 0
  /// The bytes that came.
  private var covered = RangeList()
  private var furthest = 0
  private var length: Int?

  init(largestScan: Int) {
    self.largestScan = largestScan
    memory = .allocate(byteCount: JPEGFileHeader.largest + largestScan + 2, alignment: 16)
  }

  deinit { memory.deallocate() }

  private var scan: UnsafeMutableRawPointer { memory + JPEGFileHeader.largest }

  /// Begins with another frame.
  mutating func begin(_ timestamp: UInt32, _ header: JPEGPayloadHeader) {
    clear()
    self.timestamp = timestamp
    self.header = header
  }

  /// Forgets the frame under way.
  mutating func clear() {
    timestamp = nil
    tables = nil
    fields = nil
    restartInterval = 0
    covered.removeAll()
    furthest = 0
    length = nil
  }

  /// What became of a packet's part.
  enum Outcome {
    case placed
    /// It contradicts the parts that are there.
    case contradicts
    /// The parts that are there have more gaps between them than a network makes.
    case scattered
  }

  /// Puts a packet's part in.
  mutating func add(_ fragment: Fragment, isLast: Bool) -> Outcome {
    let other = fragment.header
    guard other.type == header.type, other.q == header.q, other.width == header.width, other.height == header.height
    else { return .contradicts }
    let start = Int(other.offset)
    let end = start + fragment.scan.count
    guard end > start, end <= length ?? largestScan, !isLast || end >= furthest, covered.add(start..<end) else {
      return .contradicts
    }
    guard covered.count <= Self.maximumRanges else { return .scattered }
    furthest = max(furthest, end)
    if isLast { length = end }
    tables = tables ?? fragment.tables
    if let onvif = fragment.onvif, fields == nil { fields = OnvifExtension.read(onvif) }
    restartInterval = fragment.restart?.interval ?? restartInterval
    if let bytes = fragment.scan.baseAddress {
      (scan + Int(other.offset)).copyMemory(from: bytes, byteCount: fragment.scan.count)
    }
    return .placed
  }

  /// Every byte up to the marker's packet is there.
  var isWhole: Bool { length.map { covered.isOnly(0..<$0) } ?? false }

  /// The whole frame as a JPEG file, until the next frame begins; nil where its size is not known.
  /// - Parameters:
  ///   - tables: the frame's own, or those of its Q.
  ///   - dimensions: the size in pixels where the payload does not say it.
  func file(
    _ tables: QuantizationTables, dimensions: (width: UInt16, height: UInt16)?
  ) -> (jpeg: UnsafeRawBufferPointer, width: Int, height: Int)? {
    let isSaid = header.width > 0 && header.height > 0
    let width = isSaid ? UInt16(header.width) * 8 : dimensions?.width ?? 0
    let height = isSaid ? UInt16(header.height) * 8 : dimensions?.height ?? 0
    guard let length, let sampling = JPEGHeader.Sampling(rawValue: header.type & 1),
      let file = JPEGFileHeader(
        width: width, height: height, sampling: sampling, tables: tables, restartInterval: restartInterval,
        fields: fields)
    else { return nil }
    // The file's header goes right before the scan, and an EOI after it where none is there.
    let bytes = file.bytes
    let start = scan - bytes.count
    UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyBytes(from: bytes)
    var end = length
    if !UnsafeRawBufferPointer(start: scan, count: length).suffix(2).elementsEqual([0xFF, 0xD9]) {
      (scan + length).storeBytes(of: UInt16(0xFFD9).bigEndian, as: UInt16.self)
      end += 2
    }
    return (UnsafeRawBufferPointer(start: start, count: bytes.count + end), file.size.width, file.size.height)
  }
}
