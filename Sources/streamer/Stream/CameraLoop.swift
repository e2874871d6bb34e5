import LinuxIO
import RTPCore
import V4L2Capture

/// A camera's loop, from its buffers to the wire: one thread, one epoll, one frame in flight.
struct CameraLoop<Source: FrameSource & ~Copyable>: ~Copyable {
  private var source: Source
  private var reader: FrameReader
  private var packetizer: Packetizer
  private var clock = MediaClock()
  private var batch: PacketBatch
  private let destinations: DestinationList
  private var inFlight: Frame?
  /// A receiver got a part only of the frame in flight.
  private var isPartial = false
  private var gaps = SequenceGaps()
  private var rate: RateCheck
  private var silence: SilenceCheck
  private var statistics = StreamStatistics()
  /// The causes that were posted already, a bit each.
  private var saidDrops: UInt32 = 0

  /// The receivers were told of the source.
  private var isReporting = false
  /// Another one was heard with this stream's SSRC.
  private var hasCollided = false
  private var lastCollision = Int64.min / 2

  private let events: LoopEvents
  private let board: Board

  init(
    _ source: consuming Source, _ settings: StreamSettings, destinations: consuming DestinationList,
    events: consuming LoopEvents, board: Board
  ) {
    reader = FrameReader(repairs: settings.options.repairs, recodes: settings.options.recodes)
    packetizer = Packetizer(
      packetSize: settings.options.packetSize, largestFrame: source.info.largestFrame,
      payloadType: settings.options.payloadType,
      ssrc: settings.ssrc, onvifExtension: settings.options.onvifExtension)
    batch = PacketBatch(capacity: packetizer.capacity)
    rate = RateCheck(source.info.rate)
    silence = SilenceCheck(source.info.rate, now: Clock.monotonic)
    self.source = source
    self.destinations = destinations
    self.events = events
    self.board = board
  }

  /// Runs until it is told to stop.
  mutating func run() throws {
    defer { finish() }
    while true {
      for index in 0..<events.wait() {
        switch events[index] {
        case .source: try takeFrame()
        case .stop: return
        case .stats: postStatistics(isTick: true)
        case .watch: if silence.check(statistics.captured, at: Clock.monotonic) { postStatistics() }
        case .report: try report()
        case .destination(let index): try push(index)
        case .feedback(let index): hear(index)
        }
      }
    }
  }

  /// One frame, from the camera to the sockets.
  private mutating func takeFrame() throws {
    guard let frame = try source.next() else { return }
    // One that comes behind a newer one would set receivers back; it was counted as missing already.
    guard case .next(let missing) = gaps.judge(frame.sequence, at: frame.timestamp) else { return }
    abandonFrame()
    if statistics.captured == 0 { begin() }
    if hasCollided { changeSource() }
    statistics.captured += 1
    statistics[.driver] += missing
    if let measured = rate.check(frame.timestamp, sequence: frame.sequence) {
      statistics.lowRate = measured
      postStatistics()
    }
    if frame.isDamaged && !reader.repairs {
      statistics[.damaged] += 1
    } else {
      do throws(DropCause) {
        let isRepaired = try plan(frame.bytes, timestamp: frame.timestamp)
        if isRepaired || frame.isDamaged { statistics.repaired += 1 }
        inFlight = consume frame
      } catch {
        statistics[error] += 1
      }
    }
    let packets = statistics.packets
    for index in 0..<destinations.count { try push(index) }
    if !isReporting, statistics.packets > packets { try report() }
    let saidRecoding = statistics.recoding
    statistics.recoding = reader.recoding
    if statistics.recoding.isNews(since: saidRecoding) || statistics.newDrops(since: &saidDrops) { postStatistics() }
  }

  /// Makes the packets of a frame, and has every receiver begin with it.
  /// - Returns: whether it was cut short.
  private mutating func plan(_ bytes: UnsafeRawBufferPointer, timestamp: Int64) throws(DropCause) -> Bool {
    let picture = try reader.read(bytes)
    let plan: PacketPlan
    do throws(JPEGFault) {
      plan = try packetizer.plan(picture, timestamp: clock.frameTimestamp(at: timestamp))
    } catch {
      throw DropCause(error)
    }
    batch.removeAll()
    for index in 0..<plan.count {
      let packet = plan[index]
      batch.append(header: packet.header, payload: packet.payload)
    }
    for index in 0..<destinations.count { destinations[index].beginFrame(byteCount: plan.byteCount) }
    return picture.isRepaired
  }

  /// Sends a receiver as much as its socket takes; the frame goes back when all receivers have it.
  private mutating func push(_ index: Int) throws {
    guard !destinations[index].isDone else {
      // Its frame was abandoned while it waited.
      try events.wait(false, for: &destinations[index], number: index)
      return
    }
    let before = destinations[index].sent
    let progress = destinations[index].push(batch)
    let sent = destinations[index].sent
    let bytes = batch.byteCount(before..<sent)
    statistics.packets += UInt64(sent - before)
    statistics.bytes += UInt64(bytes)
    let headers = (sent - before) * RTPHeader.size + (before == 0 && sent > 0 ? packetizer.extensionSize : 0)
    destinations[index].reports.count(packets: sent - before, octets: bytes - headers)
    try events.wait(progress == .full, for: &destinations[index], number: index)
    if progress == .unreachable {
      statistics.unreachablePackets += UInt64(destinations[index].abandon(batch))
      isPartial = true
      postError(of: index)
    }
    if (0..<destinations.count).allSatisfy({ destinations[$0].isDone }) { endFrame() }
  }

  /// Leaves out what is not sent of the frame in flight, because a newer one is here.
  private mutating func abandonFrame() {
    guard inFlight != nil else { return }
    for index in 0..<destinations.count where !destinations[index].isDone {
      statistics.latePackets += UInt64(destinations[index].abandon(batch))
      isPartial = true
    }
    endFrame()
  }

  /// Gives the frame in flight back to the camera.
  private mutating func endFrame() {
    if isPartial { statistics.partial += 1 } else { statistics.sent += 1 }
    isPartial = false
    inFlight = nil
  }

  /// Tells the main thread the first time that a receiver's packets fail, and when the reason changes.
  private mutating func postError(of index: Int) {
    let errno = destinations[index].errno
    guard destinations[index].saidErrno != errno else { return }
    destinations[index].saidErrno = errno
    board.post { $0.destinationErrors[index] = errno }
  }

  /// The first frame is here.
  private func begin() {
    postTimestampSource()
    let now = Clock.monotonic
    for index in 0..<destinations.count { destinations[index].reports.start(now: now) }
  }

  /// Sends the receivers the reports that are due.
  private mutating func report() throws {
    isReporting = true
    let time = Clock.pair
    var next = Int64.max
    for index in 0..<destinations.count {
      destinations[index].reports.report(ssrc: packetizer.ssrc, clock: clock, time: time)
      next = min(next, destinations[index].reports.due ?? .max)
    }
    try events.waitToReport(at: next)
  }

  /// Takes a receiver's report.
  private mutating func hear(_ index: Int) {
    switch destinations[index].reports.hear(ssrc: packetizer.ssrc) {
    case .nothing: break
    case .collision:
      // Once in a while: who sends such reports without end shall not have the stream begin anew without end.
      if Clock.monotonic - lastCollision > 10_000_000_000 { hasCollided = true }
    case .failed(let errno):
      destinations[index].fail(errno)
      postError(of: index)
    }
  }

  /// Goes on under another SSRC (RFC 3550, 8.2).
  private mutating func changeSource() {
    hasCollided = false
    let time = Clock.pair
    lastCollision = time.monotonic
    for index in 0..<destinations.count {
      destinations[index].reports.sayGoodbye(ssrc: packetizer.ssrc, clock: clock, time: time)
      destinations[index].reports.restart(now: time.monotonic)
    }
    packetizer.changeSource()
    isReporting = false
    let ssrc = packetizer.ssrc
    board.post { $0.changedSSRC = ssrc }
  }

  private func postTimestampSource() {
    let timestamps = source.timestampSource
    board.post { $0.timestampSource = timestamps }
  }

  private func postStatistics(isTick: Bool = false) {
    board.post { state in
      state.statistics = statistics
      state.isSilent = silence.isSilent
      for index in 0..<destinations.count { state.receptions[index] = destinations[index].reports.reception }
      if isTick { state.ticks += 1 }
    }
  }

  private mutating func finish() {
    abandonFrame()
    let time = Clock.pair
    for index in 0..<destinations.count {
      destinations[index].reports.sayGoodbye(ssrc: packetizer.ssrc, clock: clock, time: time)
    }
    postStatistics()
  }
}
