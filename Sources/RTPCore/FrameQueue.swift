/// The frames of one stream that are in flight. Packets may come out of order over a frame's end, so there are two.
struct FrameQueue: ~Copyable {
  /// Frames of which every packet came.
  private(set) var frames: UInt64 = 0
  private(set) var unsized: UInt64 = 0
  private(set) var unknownQ: UInt8?
  private(set) var incomplete: UInt64 = 0
  private(set) var malformed: UInt64 = 0

  private let dimensions: (width: UInt16, height: UInt16)?
  private var current: FrameAssembly
  private var next: FrameAssembly
  /// The timestamp of the last frame that ended: what is not newer is too late.
  private var ended: UInt32?
  private var cache = TableCache()

  init(dimensions: (width: UInt16, height: UInt16)?, largestScan: Int) {
    self.dimensions = dimensions
    current = FrameAssembly(largestScan: largestScan)
    next = FrameAssembly(largestScan: largestScan)
  }

  /// Ends the frames in flight.
  mutating func finish() {
    endCurrent()
    endCurrent()
  }

  /// Begins with a stream of other timestamps.
  mutating func restart() {
    finish()
    ended = nil
  }

  /// The quantization tables that came with frames, by their Q: a source need not send them again (RFC 2435, 4.2).
  var receivedTables: [UInt8: QuantizationTables] {
    get { cache.received }
    set { cache.received = newValue }
  }

  /// Counts a frame of which nothing was placed.
  mutating func giveUpFrame() { incomplete += 1 }

  /// Takes a packet's part of a frame.
  mutating func place(_ fragment: Fragment, _ rtp: RTPHeader) -> Depacketizer.Event {
    if let ended, Int32(bitPattern: rtp.timestamp &- ended) <= 0 { return .none }
    guard let isCurrent = prepare(rtp.timestamp, fragment.header) else { return .none }
    switch isCurrent ? current.add(fragment, isLast: rtp.marker) : next.add(fragment, isLast: rtp.marker) {
    case .placed: break
    case .contradicts:
      malformed += 1
      return .none
    case .scattered:
      if !isCurrent { endCurrent() }
      endCurrent()
      return .none
    }
    guard isCurrent ? current.isWhole : next.isWhole else { return .none }
    // A frame that is whole ends those before it: the newest wins.
    if !isCurrent { endCurrent() }
    return deliver(rtp.timestamp)
  }

  /// Has the frame of this timestamp in flight.
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
  private mutating func deliver(_ timestamp: UInt32) -> Depacketizer.Event {
    ended = timestamp
    let q = current.header.q
    let tables = cache.tables(current.tables, q: q)
    let file = tables.flatMap { current.file($0, dimensions: dimensions) }
    current.clear()
    swap(&current, &next)
    guard let file else {
      if tables != nil { unsized += 1 } else { unknownQ = q }
      incomplete += 1
      return .none
    }
    frames += 1
    return .frame(file.jpeg, width: file.width, height: file.height, timestamp: timestamp)
  }
}
