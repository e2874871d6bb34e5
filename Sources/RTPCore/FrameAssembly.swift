/// One packet's payload, read.
struct Fragment {
  let header: JPEGPayloadHeader
  let restart: RestartHeader?
  /// Only a frame's first packet can have them.
  let tables: QuantizationTables?
  let onvif: ByteReader?
  let scan: UnsafeRawBufferPointer

  init(_ packet: RTPPacket) throws(PayloadFault) {
    var reader = ByteReader(packet.payload)
    guard let header = JPEGPayloadHeader(&reader) else { throw .tooShort }
    self.header = header
    // 0, 1, 64, 65.
    guard header.type & ~65 == 0 else { throw .type(header.type) }
    if header.type >= 64 {
      guard let restart = RestartHeader(&reader) else { throw .tooShort }
      self.restart = restart
    } else {
      restart = nil
    }
    guard header.q &- 1 < 99 || header.q >= 128 else { throw .reservedQ(header.q) }
    tables = header.offset == 0 && header.q >= 128 ? try Self.tables(&reader, q: header.q) : nil
    onvif = packet.onvif
    scan = reader.rest
    guard !scan.isEmpty else { throw .noScan }
  }

  /// The tables after a frame's first headers (RFC 2435, 3.1.8): MBZ, precision (a bit a table, 1: 16 bits), length.
  /// - Returns: nil where there are none: those that came with this Q before are meant.
  private static func tables(_ reader: inout ByteReader, q: UInt8) throws(PayloadFault) -> QuantizationTables? {
    guard reader.byte() != nil, let precision = reader.byte(), let length = reader.word() else { throw .tooShort }
    guard precision == 0 else { throw .tablePrecision(precision) }
    guard length > 0 || q < 255 else { throw .noTables }
    guard length > 0 else { return nil }
    guard var body = reader.take(Int(length)), let luma = body.table() else { throw .tableLength(Int(length)) }
    return QuantizationTables(luma: luma, chroma: body.table() ?? luma)
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
  /// The lowest sequence number of its packets.
  private(set) var lowest = 0
  /// That of its first packet, whose offset is 0; nil: it did not arrive yet.
  private var first: Int?
  /// What is known of its end so far.
  private var end = FrameEnd(timestamp: 0, tail: (0, 0), hasMarker: false)
  /// Packets that were placed.
  private var placed = 0

  init(largestScan: Int) {
    self.largestScan = largestScan
    memory = .allocate(byteCount: JPEGFileHeader.largest + largestScan + 2, alignment: 16)
  }

  deinit { memory.deallocate() }

  private var scan: UnsafeMutableRawPointer { memory + JPEGFileHeader.largest }

  /// Begins with another frame.
  mutating func begin(_ place: PacketPlace, _ header: JPEGPayloadHeader) {
    clear()
    timestamp = place.timestamp
    self.header = header
    lowest = place.sequence
    end = FrameEnd(timestamp: place.timestamp, tail: (place.sequence, 0), hasMarker: false)
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
    first = nil
    placed = 0
  }

  /// Whether a packet is of this frame. Its timestamp says so, and where a sender gives several frames the same, what lies
  /// between a packet of offset 0 and one with the marker.
  /// - Parameter isTimestampShared: the sender did so before. Offsets rise with sequence numbers: a packet with which they
  ///   fall is of the next frame then.
  func includes(_ place: PacketPlace, isTimestampShared: Bool) -> Bool {
    guard timestamp == place.timestamp else { return false }
    if place.sequence > end.tail.sequence {
      return !end.hasMarker && (place.offset >= end.tail.offset || place.offset > 0 && !isTimestampShared)
    }
    return place.sequence >= first ?? .min
  }

  /// What is known of its end; nil: no frame is in flight. It can be set where a packet continues the frame that is not
  /// placed.
  var knownEnd: FrameEnd? {
    get { timestamp == nil ? nil : end }
    set { if let newValue { end = newValue } }
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
  mutating func add(_ fragment: Fragment, _ place: PacketPlace) -> Outcome {
    let (other, isLast) = (fragment.header, place.isLast)
    guard other.type == header.type, other.q == header.q, other.width == header.width, other.height == header.height
    else { return .contradicts }
    let start = place.offset
    let end = start + fragment.scan.count
    guard end <= length ?? largestScan, !isLast || end >= furthest, covered.add(start..<end) else {
      return .contradicts
    }
    guard covered.count <= Self.maximumRanges else { return .scattered }
    furthest = max(furthest, end)
    if isLast { length = end }
    note(place, end: end)
    tables = tables ?? fragment.tables
    if let onvif = fragment.onvif, fields == nil { fields = OnvifExtension.read(onvif) }
    restartInterval = fragment.restart?.interval ?? restartInterval
    if let bytes = fragment.scan.baseAddress {
      (scan + start).copyMemory(from: bytes, byteCount: fragment.scan.count)
    }
    return .placed
  }

  private mutating func note(_ place: PacketPlace, end: Int) {
    placed += 1
    if place.offset == 0 { first = place.sequence }
    lowest = min(lowest, place.sequence)
    if place.sequence >= self.end.tail.sequence { self.end.tail = (place.sequence, end) }
    if place.isLast { self.end.hasMarker = true }
  }

  /// Every byte up to the marker's packet is there.
  var isWhole: Bool { length.map { covered.isOnly(0..<$0) } ?? false }

  /// Every byte up to the last one that came is there, and more are to come.
  var isIntact: Bool { length == nil && covered.isOnly(0..<furthest) }

  /// Each of its sequence numbers arrived: no part of it is another frame's, where frames share a timestamp.
  var isGapless: Bool { placed == end.tail.sequence - lowest + 1 }

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
