/// The frames of one stream that are in flight. Packets may come out of order over a frame's end, so there are two.
struct FrameQueue: ~Copyable {
  /// Frames of which every packet came.
  private(set) var frames: UInt64 = 0
  private(set) var fields: UInt64 = 0
  private(set) var unsized: UInt64 = 0
  private(set) var incomplete: UInt64 = 0
  private(set) var malformed: UInt64 = 0
  private(set) var faults = FrameFaults()

  private let dimensions: (width: UInt16, height: UInt16)?
  private var current: FrameAssembly
  private var next: FrameAssembly
  /// The last frame that ended: what is not newer is too late.
  private var ended: FrameEnd?
  /// Two frames of the stream had the same timestamp.
  private var isTimestampShared = false
  private var cache = TableCache()

  init(dimensions: (width: UInt16, height: UInt16)?, largestScan: Int) {
    self.dimensions = dimensions
    current = FrameAssembly(largestScan: largestScan)
    next = FrameAssembly(largestScan: largestScan)
  }

  /// Ends the frames in flight.
  /// - Parameter isArriving: the stream's next packet is not late yet. The newest frame is not counted then if no packet of
  ///   it is missing so far.
  mutating func finish(isArriving: Bool = false) {
    if next.timestamp != nil { endCurrent() }
    if isArriving, current.isIntact { current.clear() }
    endCurrent()
  }

  /// Begins with a stream of other timestamps.
  mutating func restart() {
    finish()
    ended = nil
    isTimestampShared = false
  }

  /// The quantization tables that came with frames, by their Q: a source need not send them again (RFC 2435, 4.2).
  var receivedTables: [UInt8: QuantizationTables] {
    get { cache.received }
    set { cache.received = newValue }
  }

  /// Counts a frame of which nothing was placed.
  mutating func giveUpFrame() { incomplete += 1 }

  /// Takes a packet's part of a frame.
  /// - Parameter sequence: the packet's, with the rounds of 65,536 above it.
  mutating func place(_ fragment: Fragment, _ rtp: RTPHeader, sequence: Int) -> Depacketizer.Event {
    if let ended, sequence <= ended.tail.sequence { return .none }
    let place = PacketPlace(
      timestamp: rtp.timestamp, sequence: sequence, offset: Int(fragment.header.offset), isLast: rtp.marker)
    guard let isCurrent = prepare(fragment, place) else { return .none }
    switch isCurrent ? current.add(fragment, place) : next.add(fragment, place) {
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
    if isTimestampShared { guard isCurrent ? current.isGapless : next.isGapless else { return .none } }
    // A frame that is whole ends those before it: the newest wins.
    if !isCurrent { endCurrent() }
    return deliver(rtp.timestamp)
  }

  /// Has a packet's frame in flight.
  /// - Returns: whether it is the current one, not the next; nil where the packet is not to be placed.
  private mutating func prepare(_ fragment: Fragment, _ place: PacketPlace) -> Bool? {
    // Where both frames have its timestamp, it is of the next one from that one's first packet on.
    if current.includes(place, isTimestampShared: isTimestampShared),
      !isTimestampShared || next.timestamp == nil || place.sequence < next.lowest
    {
      return true
    }
    if next.includes(place, isTimestampShared: isTimestampShared) { return false }
    if place.offset > 0, isMisplaced(fragment, place) { return nil }
    guard current.timestamp != nil else {
      noteFaults(at: place)
      current.begin(place, fragment.header)
      return true
    }
    if place.sequence < current.lowest {
      // An older frame's packet: that frame goes before, if there is room.
      guard next.timestamp == nil else { return nil }
      swap(&current, &next)
      current.begin(place, fragment.header)
      return true
    }
    if next.timestamp != nil, place.sequence < next.lowest { return nil }
    noteFaults(at: place)
    // A third frame ends the first.
    if next.timestamp != nil { endCurrent() }
    next.begin(place, fragment.header)
    return false
  }

  /// The newest frame, in flight or ended.
  private var newest: FrameEnd? {
    get { next.knownEnd ?? current.knownEnd ?? ended }
    set {
      if next.timestamp != nil {
        next.knownEnd = newValue
      } else if current.timestamp != nil {
        current.knownEnd = newValue
      } else {
        ended = newValue
      }
    }
  }

  /// Whether a packet's part is not placed, nor begins another frame: its frame was given up, or it continues the newest one
  /// with another timestamp, or after the packet with the marker.
  private mutating func isMisplaced(_ fragment: Fragment, _ place: PacketPlace) -> Bool {
    if let ended, !ended.hasMarker, ended.timestamp == place.timestamp,
      current.timestamp == nil || place.sequence < current.lowest
    {
      self.ended?.tail = (place.sequence, place.offset + fragment.scan.count)
      self.ended?.hasMarker = place.isLast
      return true
    }
    guard var frame = newest, frame.isContinued(by: place) else { return false }
    malformed += 1
    if !frame.hasMarker {
      faults.changed += 1
    } else if !frame.isContinued {
      faults.continued += 1
      frame.isContinued = true
    }
    frame.tail = (place.sequence, frame.tail.offset + fragment.scan.count)
    if place.isLast { frame.hasMarker = true }
    newest = frame
    return true
  }

  /// Notes what a frame that begins shows of its sender.
  private mutating func noteFaults(at place: PacketPlace) {
    guard let frame = newest else { return }
    if place.timestamp == frame.timestamp {
      faults.repeated += 1
      isTimestampShared = true
    } else if Int32(bitPattern: place.timestamp &- frame.timestamp) < 0 {
      faults.backward += 1
    }
    if !frame.hasMarker, place.offset == 0, place.sequence == frame.tail.sequence + 1 { faults.unmarked += 1 }
  }

  /// Gives the current frame up, and goes on with the next.
  private mutating func endCurrent() {
    if let end = current.knownEnd {
      incomplete += 1
      ended = end
    }
    current.clear()
    swap(&current, &next)
  }

  /// The current frame, which is whole. Its memory stays as it is until the next packet.
  private mutating func deliver(_ timestamp: UInt32) -> Depacketizer.Event {
    ended = current.knownEnd
    let (q, isField) = (current.header.q, current.header.isField)
    let tables = cache.tables(current.tables, q: q)
    let file = tables.flatMap { current.file($0, dimensions: dimensions) }
    current.clear()
    swap(&current, &next)
    guard let file else {
      if tables != nil {
        unsized += 1
      } else {
        faults.withoutTables += 1
        faults.unknownQ = faults.unknownQ ?? q
      }
      incomplete += 1
      return .none
    }
    frames += 1
    if isField { fields += 1 }
    return .frame(file.jpeg, width: file.width, height: file.height, timestamp: timestamp)
  }
}
