/// Puts RTP/JPEG packets (RFC 2435) together to JPEG files. What the network sends is checked and counted; nothing
/// in it traps or makes it keep more than one frame.
public struct Depacketizer: ~Copyable {
  /// What became of a frame.
  public enum Event {
    case none
    /// A whole JPEG, with standard entropy tables; valid until the next call.
    case frame(UnsafeRawBufferPointer, width: Int, height: Int)
  }

  /// Frames of which every packet came.
  public private(set) var frames: UInt64 = 0
  /// Frames of which packets are missing.
  public private(set) var incomplete: UInt64 = 0
  /// Packets that are no RTP, not of this payload type's form, or contradict their frame's others.
  public private(set) var malformed: UInt64 = 0
  /// Packets of another source while this one was sending.
  public private(set) var foreign: UInt64 = 0
  public private(set) var statistics = ReceptionStatistics()

  private let memory: UnsafeMutableRawPointer
  /// Behind room for the file's header, a scan as long as its offset can say, one packet more, and an EOI.
  private static let capacity = JPEGFileHeader.largest + JPEGPayloadHeader.largestOffset + 65_536 + 2
  private var assembly: Assembly?
  /// The last frame that ended, whose late packets are not a new frame.
  private var ended: UInt32?
  private var source: (ssrc: UInt32, seen: Int64)?
  /// Nanoseconds after which another source takes the place of a silent one.
  private static let silence: Int64 = 1_000_000_000

  public init() { memory = .allocate(byteCount: Self.capacity, alignment: 16) }

  deinit { memory.deallocate() }

  /// Takes one datagram.
  /// - Parameter arrival: CLOCK_MONOTONIC in nanoseconds.
  public mutating func receive(_ datagram: UnsafeRawBufferPointer, arrival: Int64) -> Event {
    guard let (rtp, payload) = RTPHeader.read(datagram) else {
      malformed += 1
      return .none
    }
    // RTCP on the same port (RFC 5761, 4): packet types 192 to 223 are not RTP.
    if (64...95).contains(rtp.payloadType) && rtp.marker { return .none }
    guard follow(rtp.ssrc, arrival) else {
      foreign += 1
      return .none
    }
    guard statistics.record(rtp, size: datagram.count, arrival: arrival) == .new else { return .none }
    guard let fragment = Fragment(payload) else {
      malformed += 1
      return .none
    }
    return place(fragment, rtp)
  }

  /// Ends the frame under way, at the end of a stream.
  public mutating func finish() {
    if assembly != nil { incomplete += 1 }
    assembly = nil
  }

  /// Whether packets of this source are taken: one source at a time, until it falls silent.
  private mutating func follow(_ ssrc: UInt32, _ arrival: Int64) -> Bool {
    if let source, source.ssrc != ssrc {
      guard arrival - source.seen > Self.silence else { return false }
      statistics.restart()
      finish()
      ended = nil
    }
    source = (ssrc, arrival)
    return true
  }

  private mutating func place(_ fragment: Fragment, _ rtp: RTPHeader) -> Event {
    if rtp.timestamp == ended { return .none }
    if let current = assembly, current.timestamp != rtp.timestamp {
      // A packet of an older frame is too late; one of a newer frame ends this one.
      if Int32(bitPattern: rtp.timestamp &- current.timestamp) < 0 { return .none }
      finish()
      ended = current.timestamp
    }
    var current = assembly ?? Assembly(timestamp: rtp.timestamp, header: fragment.header)
    guard current.add(fragment, isLast: rtp.marker) else {
      malformed += 1
      return .none
    }
    let scan = memory + JPEGFileHeader.largest
    if let bytes = fragment.scan.baseAddress {
      (scan + Int(fragment.header.offset)).copyMemory(from: bytes, byteCount: fragment.scan.count)
    }
    guard let length = current.wholeLength, let file = current.fileHeader else {
      assembly = current
      return .none
    }
    assembly = nil
    ended = rtp.timestamp
    frames += 1
    return .frame(
      finishFile(file, scan: scan, length: length), width: Int(file.width), height: Int(file.height))
  }

  /// Puts the file's header right before the scan, and an EOI behind it where none stands.
  private func finishFile(
    _ file: JPEGFileHeader, scan: UnsafeMutableRawPointer, length: Int
  ) -> UnsafeRawBufferPointer {
    let header = file.bytes
    let start = scan - header.count
    UnsafeMutableRawBufferPointer(start: start, count: header.count).copyBytes(from: header)
    var end = length
    let tail = UnsafeRawBufferPointer(start: scan, count: length).suffix(2)
    if !tail.elementsEqual([0xFF, 0xD9]) {
      (scan + length).storeBytes(of: UInt16(0xFFD9).bigEndian, as: UInt16.self)
      end += 2
    }
    return UnsafeRawBufferPointer(start: start, count: header.count + end)
  }
}

/// One packet's payload, read.
private struct Fragment {
  let header: JPEGPayloadHeader
  let restart: RestartHeader?
  /// Only a frame's first packet has them.
  let tables: QuantizationTables?
  let scan: UnsafeRawBufferPointer

  init?(_ payload: UnsafeRawBufferPointer) {
    var reader = ByteReader(payload)
    guard let header = JPEGPayloadHeader(&reader), [0, 1, 64, 65].contains(header.type) else { return nil }
    self.header = header
    if header.type >= 64 {
      guard let restart = RestartHeader(&reader) else { return nil }
      self.restart = restart
    } else {
      restart = nil
    }
    var tables: QuantizationTables?
    if header.offset == 0, header.q >= 128 {
      // RFC 2435, 3.1.8: MBZ, precision (a bit a table, 1: 16 bits), length.
      guard reader.byte() != nil, reader.byte() == 0, let length = reader.word(),
        var body = reader.take(Int(length)), let luma = body.table()
      else { return nil }
      tables = QuantizationTables(luma: luma, chroma: body.table() ?? luma)
    } else if header.offset == 0 {
      tables = QuantizationTables(q: header.q)
    }
    self.tables = tables
    scan = reader.rest
  }
}

/// A frame that is being put together.
private struct Assembly {
  let timestamp: UInt32
  private let header: JPEGPayloadHeader
  private var tables: QuantizationTables?
  private var restartInterval: UInt16 = 0
  private var received = 0
  private var length: Int?

  init(timestamp: UInt32, header: JPEGPayloadHeader) {
    self.timestamp = timestamp
    self.header = header
  }

  /// Counts a packet's part in; false where it contradicts the others.
  mutating func add(_ fragment: Fragment, isLast: Bool) -> Bool {
    let other = fragment.header
    guard other.type == header.type, other.q == header.q, other.width == header.width,
      other.height == header.height
    else { return false }
    let end = Int(other.offset) + fragment.scan.count
    if let length, end > length { return false }
    if isLast { length = end }
    tables = tables ?? fragment.tables
    restartInterval = fragment.restart?.interval ?? restartInterval
    received += fragment.scan.count
    return true
  }

  /// The scan's bytes, as soon as all are there.
  var wholeLength: Int? { length == received ? length : nil }

  /// nil where its tables are missing, or its size is not said.
  var fileHeader: JPEGFileHeader? {
    guard let tables, header.width > 0, header.height > 0,
      let sampling = JPEGHeader.Sampling(rawValue: header.type & 1)
    else { return nil }
    return JPEGFileHeader(
      width: UInt16(header.width) * 8, height: UInt16(header.height) * 8, sampling: sampling, tables: tables,
      restartInterval: restartInterval)
  }
}
