/// Puts RTP/JPEG packets (RFC 2435) together to JPEG files. What the network sends is checked and counted; nothing in it
/// traps, or makes it keep more than two frames.
public struct Depacketizer: ~Copyable {
  /// What became of a packet.
  public enum Event {
    case none
    /// It was a frame's last: a whole JPEG, with standard entropy tables; valid until the next call.
    case frame(UnsafeRawBufferPointer, width: Int, height: Int, timestamp: UInt32)
  }

  /// Frames of which every packet came.
  public private(set) var frames: UInt64 = 0
  /// Whole frames whose size the packets do not say (over 2040 pixels), and nothing else did.
  public private(set) var unsized: UInt64 = 0
  /// Frames of which packets are missing, or whose tables or size are not known.
  public private(set) var incomplete: UInt64 = 0
  /// Packets that are no RTP, not of this payload's form, or contradict their frame's others.
  public private(set) var malformed: UInt64 = 0
  /// Packets of another source while this one was sending.
  public private(set) var foreign: UInt64 = 0
  public private(set) var statistics = ReceptionStatistics()

  private let dimensions: (width: UInt16, height: UInt16)?
  /// The frame under way, and the next one: packets may come out of order over a frame's end.
  private var current: FrameAssembly
  private var next: FrameAssembly
  /// The last frame that ended: what is not newer is too late.
  private var ended: UInt32?
  private var cache = TableCache()
  private var source: (ssrc: UInt32, seen: Int64)?
  /// Nanoseconds after which another source takes the place of a silent one.
  private static let silence: Int64 = 1_000_000_000

  /// A scan as long as its offset can say, with one packet more.
  public static let largestScan = JPEGPayloadHeader.largestOffset + 65_536

  /// - Parameters:
  ///   - dimensions: pictures' size in pixels where it is over 2040, from the SDP's x-dimensions.
  ///   - largestScan: the most bytes of a frame's scan that are kept.
  public init(dimensions: (width: UInt16, height: UInt16)? = nil, largestScan: Int = Self.largestScan) {
    self.dimensions = dimensions
    current = FrameAssembly(largestScan: largestScan)
    next = FrameAssembly(largestScan: largestScan)
  }

  /// Takes one datagram.
  /// - Parameter arrival: CLOCK_MONOTONIC in nanoseconds.
  public mutating func receive(_ datagram: UnsafeRawBufferPointer, arrival: Int64) -> Event {
    guard let packet = RTPHeader.read(datagram) else {
      malformed += 1
      return .none
    }
    guard let fragment = Fragment(packet) else {
      malformed += 1
      return .none
    }
    guard follow(packet.header, arrival) else {
      foreign += 1
      return .none
    }
    guard statistics.record(packet.header, size: datagram.count, arrival: arrival) == .new else { return .none }
    return place(fragment, packet.header)
  }

  /// Whose packets are taken; nil: nobody's yet.
  public var ssrc: UInt32? { source?.ssrc }

  /// The source said goodbye: the next one is taken at once.
  public mutating func endSource() { source?.seen = Self.never }

  /// Whether there is a source that did not say goodbye.
  public var isFollowing: Bool { source.map { $0.seen != Self.never } ?? false }

  /// When a source that ended was seen: long ago.
  private static let never = Int64.min / 2

  /// Ends the frames under way, at the end of a stream.
  public mutating func finish() {
    endCurrent()
    endCurrent()
  }

  /// Whether packets of this source are taken: one source at a time, until it falls silent. One that comes again after
  /// that began anew, with other numbers and timestamps.
  private mutating func follow(_ rtp: RTPHeader, _ arrival: Int64) -> Bool {
    let wasSilent = source.map { arrival - $0.seen > Self.silence } ?? false
    let isOther = source.map { $0.ssrc != rtp.ssrc } ?? false
    if isOther && !wasSilent { return false }
    let isOlder = ended.map { Int32(bitPattern: rtp.timestamp &- $0) <= 0 } ?? false
    if isOther || wasSilent && (isOlder || !statistics.isContinued(by: rtp.sequence)) {
      statistics.restart()
      finish()
      ended = nil
      cache = TableCache()
    }
    source = (rtp.ssrc, arrival)
    return true
  }

  private mutating func place(_ fragment: Fragment, _ rtp: RTPHeader) -> Event {
    if let ended, Int32(bitPattern: rtp.timestamp &- ended) <= 0 { return .none }
    guard let isCurrent = prepare(rtp.timestamp, fragment.header) else { return .none }
    let fits = isCurrent ? current.add(fragment, isLast: rtp.marker) : next.add(fragment, isLast: rtp.marker)
    guard fits else {
      malformed += 1
      return .none
    }
    if isCurrent ? current.isWhole : next.isWhole {
      // A frame that is whole ends those before it: the newest wins.
      if !isCurrent { endCurrent() }
      return deliver(rtp.timestamp)
    }
    return .none
  }

  /// Has the frame of this timestamp under way.
  /// - Returns: whether it is the current one, not the next; nil where it is too old.
  private mutating func prepare(_ timestamp: UInt32, _ header: JPEGPayloadHeader) -> Bool? {
    if current.timestamp == nil { current.begin(timestamp, header) }
    if current.timestamp == timestamp { return true }
    if next.timestamp == timestamp { return false }
    if let now = current.timestamp, Int32(bitPattern: timestamp &- now) < 0 {
      // An older frame's packet: that frame goes before, if there is room.
      guard next.timestamp == nil else { return nil }
      swap(&current, &next)
      current.begin(timestamp, header)
      return true
    }
    if let after = next.timestamp, Int32(bitPattern: timestamp &- after) < 0 { return nil }
    // A third frame ends the first.
    if next.timestamp != nil { endCurrent() }
    next.begin(timestamp, header)
    return false
  }

  /// Gives the current frame up, and goes on with the next.
  private mutating func endCurrent() {
    if let timestamp = current.timestamp {
      incomplete += 1
      ended = timestamp
    }
    current.clear()
    swap(&current, &next)
  }

  /// The current frame, which is whole. Its memory stays as it is until the next packet.
  private mutating func deliver(_ timestamp: UInt32) -> Event {
    ended = timestamp
    let tables = cache.tables(current.tables, q: current.header.q)
    let file = tables.flatMap { current.file($0, dimensions: dimensions) }
    current.clear()
    swap(&current, &next)
    guard let file else {
      if tables != nil { unsized += 1 }
      incomplete += 1
      return .none
    }
    frames += 1
    return .frame(file.jpeg, width: file.width, height: file.height, timestamp: timestamp)
  }
}

/// The tables of each Q from 128 to 254, which a sender need not repeat (RFC 2435, 4.2).
private struct TableCache {
  private var known: [UInt8: QuantizationTables] = [:]

  /// A frame's tables: its own, or those that came with its Q before.
  mutating func tables(_ own: QuantizationTables?, q: UInt8) -> QuantizationTables? {
    guard (128...254).contains(q) else { return own }
    if let own { known[q] = own }
    return own ?? known[q]
  }
}
