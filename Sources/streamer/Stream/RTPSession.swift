import LinuxIO
import RTPCore
import V4L2Capture

/// A camera's stream: SSRC, sequence numbers, receivers, RTCP and the frame in flight. It sends the same packets to every
/// receiver, and outlives the camera.
struct RTPSession: ~Copyable {
  private let settings: SessionSettings
  private var packets: FramePackets
  private(set) var receivers = DestinationList()
  private var pace: Pace
  private var clock = MediaClock()
  private var passage = Passage.idle
  private var reports = SenderReports()
  private var news: SessionNews
  /// Bytes of the last frame's scan.
  private var lastSize = 0
  /// Packets were larger than a path took, or a path changed: the packet size is chosen again after this frame.
  private var needsPacketSize = false

  init(_ settings: SessionSettings, ssrc: UInt32, board: Board) {
    self.settings = settings
    packets = FramePackets(settings, ssrc: ssrc)
    pace = Pace(settings.pace, interval: nil)
    news = SessionNews(board)
  }

  /// Frames are of another camera now, or of a mode that it was set to.
  /// - Parameters:
  ///   - largestFrame: the most bytes that a frame can have.
  ///   - interval: between two frames, in nanoseconds, where the camera says it.
  mutating func prepare(largestFrame: Int, interval: Int64?) {
    pace = Pace(pace.setting, interval: interval)
    packets.prepare(largestFrame: largestFrame)
  }

  /// The last frame's RTP timestamp.
  var timestamp: UInt32 { packets.timestamp }

  private var source: SenderReports.Source { .init(ssrc: packets.ssrc, clock: clock) }
}

// MARK: Receivers

extension RTPSession {
  /// Adds a receiver; it begins with the next frame. One that is there stays as it is.
  mutating func add(_ address: SocketAddress, _ events: borrowing LoopEvents) throws {
    guard receivers.index(of: address) == nil else { return }
    try receivers.add(address, settings)
    // The frame in flight keeps its packets' size.
    needsPacketSize = needsPacketSize || !passage.isIdle
    let index = receivers.count - 1
    do { try events.watch(receivers[index]) } catch {
      receivers.remove(index)
      throw error
    }
    news.add(address)
    news.postPath(of: index, &receivers)
    if passage.isIdle, adaptPacketSize(), reports.hasBegun { news.postPacketSize(packets.packetSize) }
    reports.add(index, &receivers)
  }

  /// Sends a receiver a goodbye, and no more.
  mutating func remove(
    _ address: SocketAddress, _ record: inout StreamRecord, _ events: borrowing LoopEvents
  ) throws(SystemCallError) {
    guard let index = receivers.index(of: address) else { return }
    reports.sayGoodbye(to: index, &receivers, source)
    try receivers.forget(index, events)
    receivers.remove(index)
    news.remove(index)
    if isDone { endFrame(&record) }
  }

  /// Connects a receiver's sockets again; it gets the rest of the frame over its new path.
  mutating func reconnect(_ address: SocketAddress) {
    guard let index = receivers.index(of: address) else { return }
    receivers.update(index) { $0.reconnect() }
    needsPacketSize = needsPacketSize || !passage.isIdle
    news.postPath(of: index, &receivers)
    news.postError(of: index, &receivers)
    if passage.isIdle { choosePacketSize() }
  }

  /// Chooses who is to spread a receiver's packets: a device's queue can be changed, and so can the path.
  mutating func choosePacer(_ address: SocketAddress, _ discipline: QueueDiscipline?) {
    guard pace.isOn, let index = receivers.index(of: address),
      receivers.update(index, { $0.choosePacer(discipline) })
    else { return }
    news.postPacing(index, receivers[index].pacer)
  }

  /// Once a second: finds out which receivers are reached again, and how large packets may be.
  mutating func check() {
    let now = Clock.monotonic
    for index in 0..<receivers.count {
      receivers.update(index) { $0.recover(now: now) }
      news.postError(of: index, &receivers)
    }
    if passage.isIdle { choosePacketSize() }
    news.check(&receivers)
  }

  /// Makes packets as large as the paths to all receivers take, where the user did not fix their size.
  /// - Returns: whether it changed.
  private mutating func adaptPacketSize() -> Bool {
    needsPacketSize = false
    let size = settings.packetSize.choose(receivers)
    guard size != packets.packetSize else { return false }
    packets.setPacketSize(size)
    return true
  }

  private mutating func choosePacketSize() {
    if adaptPacketSize() { news.postPacketSize(packets.packetSize) }
  }
}

// MARK: The frame in flight

extension RTPSession {
  /// The next frame may take the place of the one in flight. It waits in the camera for one whose packets are held back by
  /// pacing alone: the rest of that one fits between, since frames are spread over a part of their interval.
  /// - Parameter keepsAll: every frame is sent as a whole.
  func acceptsFrame(keepsAll: Bool) -> Bool { !passage.isSending || !(keepsAll || receivers.isHeldBack) }

  /// nil: no frame is arriving.
  var arriving: Passage.Arriving? { passage.arriving }

  /// A frame that is complete is in flight.
  var isSending: Bool { passage.isSending }

  /// A frame was begun once.
  var hasBegun: Bool { reports.hasBegun }

  /// Ends the previous frame and applies what may change only between frames: SSRC, packet size.
  mutating func finishPreviousFrame(_ record: inout StreamRecord) {
    endFrame(&record)
    if !reports.hasBegun { reports.begin(&receivers) }
    if reports.hasCollided {
      reports.endSource(&receivers, source)
      packets.changeSource()
      news.postSource(packets.ssrc)
    }
    if needsPacketSize { choosePacketSize() }
  }

  /// Plans all packets of a frame; `hold` follows.
  /// - Parameter timestamp: of its capture, in nanoseconds.
  mutating func plan(_ picture: JPEGPicture, timestamp: Int64) throws(DropCause) {
    try packets.plan(picture, timestamp: clock.frameTimestamp(at: timestamp))
    begin(picture.header, byteCount: packets.batch.byteCount, timestamp)
  }

  /// Plans the rest of the frame that was arriving, and is complete now; `hold` follows.
  mutating func planRest(_ picture: JPEGPicture) throws(DropCause) { try packets.extend(picture.scan, isWhole: true) }

  /// Has the frame whose packets were planned in flight, and its buffer with it.
  mutating func hold(_ frame: consuming Frame, _ picture: JPEGPicture) {
    lastSize = picture.scan.count
    passage = .sending(Passage.Sending(frame: frame, picture: picture))
  }

  /// Begins with a frame that the camera is still filling.
  /// - Parameter timestamp: of its capture, in nanoseconds.
  mutating func begin(_ frame: Passage.Arriving, timestamp: Int64) {
    packets.begin(frame.picture.header, timestamp: clock.frameTimestamp(at: timestamp))
    begin(frame.picture.header, byteCount: lastSize, timestamp)
    passage = .arriving(frame)
  }

  /// - Parameter byteCount: of all its packets, as far as it is known.
  private mutating func begin(_ header: JPEGHeader, byteCount: Int, _ timestamp: Int64) {
    receivers.beginFrame(byteCount: byteCount)
    news.pictureSize = FrameSize(UInt32(header.width), UInt32(header.height))
    pace.begin(byteCount, capturedAt: timestamp, now: Clock.monotonic)
  }

  /// Plans what has arrived of a frame.
  /// - Returns: whether it is the one in flight.
  mutating func extend(_ arrived: UnsafeRawBufferPointer) throws(DropCause) -> Bool {
    guard var frame = passage.arriving, frame.start == arrived.baseAddress else { return false }
    let scan = frame.picture.advance(arrived)
    passage = .arriving(frame)
    try packets.extend(scan, isWhole: false)
    return true
  }

  /// Sends all receivers what there is to send now.
  mutating func sendAll(_ record: inout StreamRecord, _ events: borrowing LoopEvents) throws(SystemCallError) {
    for index in 0..<receivers.count { try send(index, &record, events) }
    // Without receivers, too.
    if isDone { endFrame(&record) }
  }

  /// A receiver's socket takes more packets.
  mutating func resume(
    id: UInt32, _ record: inout StreamRecord, _ events: borrowing LoopEvents
  ) throws(SystemCallError) {
    if let index = receivers.index(ofID: id) { try send(index, &record, events) }
  }

  /// Sends a receiver as much as its socket takes; the frame ends when all receivers have it.
  private mutating func send(
    _ index: Int, _ record: inout StreamRecord, _ events: borrowing LoopEvents
  ) throws(SystemCallError) {
    // Its frame was abandoned while it waited.
    guard !passage.isIdle else { return try receivers.wait(false, for: index, events) }
    let wasSegmenting = receivers[index].isSegmenting
    let start = record.meter.start
    var progress = push(index, &record.statistics)
    if let start, receivers[index].sent > 0 {
      record.meter.startedSending(at: start, isWhole: passage.isSending, firstSeen: passage.arriving?.firstSeen)
    }
    if progress == .tooLarge { progress = try shrink(index, &record, events) }
    try receivers.wait(progress == .full, for: index, events)
    if progress == .paced { try events.waitForPace(until: Clock.monotonic + Pace.tick) }
    news.postError(of: index, &receivers)
    news.postPath(of: index, &receivers)
    if wasSegmenting && !receivers[index].isSegmenting { news.postNoSegments(index) }
    guard isDone else { return }
    if receivers.areComplete(packets.batch) { record.meter.endedSending() }
    endFrame(&record)
  }

  /// Every receiver has all of the frame in flight that it is to get.
  private var isDone: Bool { passage.isSending && receivers.isDone }

  /// Sends a receiver as much as its socket takes and pacing allows.
  private mutating func push(_ index: Int, _ statistics: inout StreamStatistics) -> Destination.Progress {
    guard !receivers[index].isDone else { return .done }
    let before = receivers[index].sent
    let wasFailing = receivers[index].isFailing
    let limit = receivers[index].isPacedByKernel ? packets.batch.count : pace.allowed(packets.batch, sent: before)
    let progress = receivers.push(
      index, packets.batch, upTo: limit, isWhole: passage.isSending, pace: pace)
    let sent = receivers[index].sent
    if sent > before { count(before..<sent, of: index, &statistics) }
    if receivers[index].isFailing, !wasFailing, receivers[index].lostEarlier {
      receivers.takeBackLast(index, &statistics)
    }
    if progress == .unreachable { receivers.skipRest(index, packets.batch, &statistics) }
    return progress
  }

  @inline(__always)
  private mutating func count(_ range: Range<Int>, of index: Int, _ statistics: inout StreamStatistics) {
    let bytes = packets.batch.byteCount(range)
    statistics.packets += UInt64(range.count)
    statistics.bytes += UInt64(bytes)
    let octets = packets.octets(range, byteCount: bytes)
    receivers.update(index) { $0.reports.count(packets: range.count, octets: octets) }
  }

  /// The packets are larger than the path to a receiver takes: they are made again, smaller, unless some were sent. Then
  /// the frame is lost to that receiver, and the next one's packets are smaller.
  private mutating func shrink(
    _ index: Int, _ record: inout StreamRecord, _ events: borrowing LoopEvents
  ) throws(SystemCallError) -> Destination.Progress {
    if planSmaller() {
      news.postPacketSize(packets.packetSize)
      // To the others it is a new frame as well.
      for other in 0..<receivers.count where other != index { try send(other, &record, events) }
      let progress = push(index, &record.statistics)
      if progress != .tooLarge { return progress }
    }
    needsPacketSize = true
    receivers.update(index) { $0.fail(.messageTooLarge) }
    receivers.skipRest(index, packets.batch, &record.statistics)
    return .unreachable
  }

  private mutating func planSmaller() -> Bool {
    let before = packets.packetSize
    guard let picture = passage.picture, receivers.areUntouched, adaptPacketSize(), packets.packetSize < before else {
      return false
    }
    packets.rewindSequence()
    do throws(DropCause) { try packets.plan(picture, timestamp: packets.timestamp) } catch { return false }
    receivers.beginFrame(byteCount: packets.batch.byteCount)
    return true
  }

  /// Ends the frame in flight, if there is one, whatever is left of it: its buffer goes back to the camera. One that is still
  /// arriving ends without a marker: receivers take it as incomplete.
  /// - Parameter isLast: the stream ends with it: nothing is wrong with one that is still arriving.
  mutating func endFrame(_ record: inout StreamRecord, isLast: Bool = false) {
    guard !passage.isIdle else { return }
    let wasSending = passage.isSending
    if wasSending {
      receivers.endFrame(packets.batch, &record.statistics)
    } else {
      if receivers.areUntouched {
        packets.rewindSequence()
      } else if !isLast {
        record.statistics.abandoned += 1
      }
      receivers.abandonFrame(packets.batch)
    }
    passage = .idle
    record.meter.end(wasLent: wasSending)
  }

  /// Ends the stream: sends the rest of its last frame at once, as far as sockets take it, and a goodbye.
  mutating func finish(_ record: inout StreamRecord) {
    if passage.isSending {
      pace.end()
      for index in 0..<receivers.count { _ = push(index, &record.statistics) }
      if receivers.areComplete(packets.batch) { record.meter.endedSending() }
    }
    settle(&record.statistics)
    endFrame(&record, isLast: true)
    reports.sayGoodbye(&receivers, source)
  }

  /// Looks for answers to the last packets, before they are counted: no further packet may bring them.
  mutating func settle(_ statistics: inout StreamStatistics) {
    for index in 0..<receivers.count { settle(index, &statistics) }
  }

  private mutating func settle(_ index: Int, _ statistics: inout StreamStatistics) {
    let wasFailing = receivers[index].isFailing
    receivers.update(index) { $0.settle() }
    if passage.isIdle { takeBackLast(index, wasFailing, &statistics) }
  }

  private mutating func takeBackLast(_ index: Int, _ wasFailing: Bool, _ statistics: inout StreamStatistics) {
    if receivers[index].isFailing, !wasFailing { receivers.takeBackLast(index, &statistics) }
  }
}

// MARK: RTCP

extension RTPSession {
  /// Sends the receivers the reports that are due.
  mutating func report(
    _ statistics: inout StreamStatistics, _ events: borrowing LoopEvents
  ) throws(SystemCallError) {
    // On the stream's own socket a report would take the answer to its packets.
    if settings.isMuxed {
      let now = Clock.monotonic
      for index in 0..<receivers.count where receivers[index].reports.due ?? .max <= now { settle(index, &statistics) }
    }
    try reports.send(to: &receivers, from: source, events)
  }

  /// Packets were sent: their timestamps need a report, which new receivers do not have yet.
  mutating func reportFirst(
    _ statistics: inout StreamStatistics, _ events: borrowing LoopEvents
  ) throws(SystemCallError) {
    if !reports.hasReported { try report(&statistics, events) }
  }

  /// Receives a receiver's report.
  mutating func receiveRTCP(id: UInt32, _ statistics: inout StreamStatistics, _ events: borrowing LoopEvents) {
    guard let index = receivers.index(ofID: id) else { return }
    switch reports.receive(index, &receivers, ssrc: packets.ssrc, events) {
    case .nothing, .collision: break
    case .foreign(let address): news.postForeignReport(address, receivers[index].address)
    case .failed(let errno):
      let wasFailing = receivers[index].isFailing
      receivers.update(index) { $0.fail(errno) }
      if passage.isIdle { takeBackLast(index, wasFailing, &statistics) }
      news.postError(of: index, &receivers)
    }
  }

  /// A camera may change its pictures' size with every frame.
  mutating func postPictureSize() { news.postPictureSize() }
}
