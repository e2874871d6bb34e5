import LinuxIO
import RTPCore
import Synchronization
import V4L2Capture

/// A camera's loop, from its buffers to the wire: one thread, one epoll, one frame in flight.
struct CameraLoop<Source: FrameSource & ~Copyable>: ~Copyable {
  private var source: Source
  private var reader: FrameReader
  private var delivery: Delivery
  /// The frame that is being sent, all of which is there.
  private var inFlight: Frame?
  /// The frame that is being sent while the camera fills it: where it lies, and what was read of it.
  private var arriving: (start: UnsafeRawPointer, picture: ArrivingPicture)?
  private var lookout: Lookout
  /// The frame that is being filled can't be sent before it is there.
  private var isUnfit = false
  /// Where it lies, if that was looked at.
  private var lookedAt: UnsafeRawPointer?
  /// Bytes of the last frame's scan.
  private var lastSize = 0
  private var meter: Meter
  /// Frames are measured for so long only.
  private let isMeasured: Bool
  private let options: StreamOptions
  private var hasBegun = false
  private var gaps = SequenceGaps()
  private var lateness: Lateness
  private var rate: RateCheck
  private var silence: SilenceCheck
  private var statistics = StreamStatistics()
  /// The causes that were posted already, a bit each.
  private var saidDrops: UInt32 = 0
  private var hasPostedSingleFields = false
  private var watches = 0
  /// Watches in a row at which a frame was there that epoll had not reported.
  private var unreportedWatches = 0
  /// A part of a frame was sent that was no part of its picture, which was sent after it.
  private var wasBadlyBegun = false
  /// The pictures' size that was posted last.
  private var postedSize: FrameSize?
  /// At most one post a second: a camera may change its size with every frame.
  private var mayPostSize = true
  /// The frames that had been captured at the last watch.
  private var watchedFrames: UInt64 = 0
  private var reportedTimestamps = false
  private var hasRestoredControls = false

  /// The receivers were told of the source.
  private var isReporting = false
  /// Another one was heard with this stream's SSRC.
  private var hasCollided = false
  private var lastCollision = Int64.min / 2

  private var events: LoopEvents
  private let mailbox: Mailbox
  private let board: Board
  /// For reports, one at a time.
  private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: ReportLink.scratchSize, alignment: 8)

  init(
    _ source: consuming Source, _ settings: StreamSettings, events: consuming LoopEvents, mailbox: Mailbox, board: Board
  ) {
    reader = FrameReader(
      repairs: settings.options.repairs, recodes: settings.options.recodes,
      interval: source.info.rate?.interval ?? 33_333_333)
    delivery = Delivery(
      settings, largestFrame: source.info.largestFrame, interval: source.info.rate?.interval)
    options = settings.options
    meter = Meter(settings.measurement)
    isMeasured = settings.measurement != nil
    // No larger than Ethernet's, whatever the way may take: looks shall not be rare.
    lookout = Lookout(
      source.isWatched ? settings.options.early : .off, interval: source.info.rate?.interval,
      packetSize: min(1472, settings.options.packetSize.largest))
    lateness = Lateness(interval: source.info.rate?.interval ?? 33_333_333)
    rate = RateCheck(source.info.rate)
    silence = SilenceCheck(source.info.rate, now: Clock.monotonic)
    self.source = source
    self.events = events
    self.events.addsSourceAgain = self.source.isFed
    self.mailbox = mailbox
    self.board = board
  }

  deinit { scratch.deallocate() }

  /// Runs until it is told to stop.
  mutating func run() throws {
    defer { finish() }
    // The first receivers are there already.
    var hasMail = true
    var isStarting = true
    while true {
      // Behind all events: they may be of a receiver that is removed.
      if hasMail, try !takeMail(isStarting) { return }
      if isStarting { postInfo() }
      hasMail = false
      isStarting = false
      if meter.isDone { return }
      if mayTake { try events.waitForSource(source.number, true) }
      for index in 0..<events.wait() {
        switch events[index] {
        case .source: if mayTake { try takeFrame() } else { try events.waitForSource(source.number, false) }
        case .mail: hasMail = true
        case .stats: postStatistics(isTick: true)
        case .watch: try watch()
        case .pace: try pushAll()
        case .look: try look()
        case .report: try report()
        case .destination(let id): if let index = delivery.destinations.index(ofID: id) { try push(index) }
        case .feedback(let id): if let index = delivery.destinations.index(ofID: id) { try hear(index) }
        }
      }
    }
  }

  /// Does what the main thread asks for.
  /// - Parameter isStarting: a receiver that can't be added ends it all.
  /// - Returns: whether it goes on.
  private mutating func takeMail(_ isStarting: Bool) throws -> Bool {
    for message in mailbox.take() {
      switch message {
      case .stop: return false
      case .add(let address):
        do { try add(address) } catch {
          if isStarting { throw error }
          let reason = "\(error)"
          board.post { $0.refusedReceivers.append(reason) }
        }
      case .remove(let address): try remove(address)
      case .tell: postMeasured(isOver: false)
      }
    }
    return true
  }

  private mutating func add(_ address: SocketAddress) throws {
    guard delivery.destinations.index(of: address) == nil else { return }
    try delivery.add(address, options)
    let index = delivery.destinations.count - 1
    do { try events.watch(delivery.destinations[index]) } catch {
      delivery.remove(index)
      throw error
    }
    board.post { $0.receivers.append(.init(address: address)) }
    choosePacer(of: index)
    if !delivery.isUnderWay, delivery.adaptPacketSize(), hasBegun { postPacketSize() }
    guard hasBegun else { return }
    delivery.destinations[index].reports.start(now: Clock.monotonic)
    // Behind its first packets.
    isReporting = false
  }

  private mutating func remove(_ address: SocketAddress) throws {
    guard let index = delivery.destinations.index(of: address) else { return }
    sayGoodbye(to: index, Clock.pair)
    try events.forget(&delivery.destinations[index])
    delivery.remove(index)
    board.post { _ = $0.receivers.remove(at: index) }
    if delivery.isUnderWay, delivery.isDone { endFrame() }
  }

  /// The next frame may take the place of the one in flight. It waits in the camera for one whose packets are held back by
  /// the pace alone: what is left of that one fits between, since frames are spread over a part of their interval.
  private var mayTake: Bool { inFlight == nil || !(options.keepsAll || delivery.isHeldBack) }

  /// One frame, from the camera to the sockets.
  private mutating func takeFrame() throws {
    guard let frame = try nextFrame() else { return }
    defer { isUnfit = false }
    if meter.isDone { return }
    try lookAhead(frame)
    if arriving == nil { makeRoom() }
    meter.take(frame)
    if let measured = rate.check(frame.timestamp, sequence: frame.sequence) {
      statistics.lowRate = measured
      postStatistics()
    }
    do throws(DropCause) {
      let frame = try encode(frame)
      try send(frame)
      if isMeasured { meter.stamp(delivery.timestamp) }
      if arriving != nil { countEarly() }
      arriving = nil
      inFlight = consume frame
    } catch {
      statistics[error] += 1
      endFrame()
    }
    let packets = statistics.packets
    try pushAll()
    if !hasRestoredControls { restoreControls() }
    if !isReporting, statistics.packets > packets { try report() }
    if mayPostSize, delivery.pictureSize != postedSize { postPictureSize() }
    let saidRecoding = statistics.recoding
    statistics.recoding = reader.recoding
    if statistics.recoding.isNews(since: saidRecoding) || statistics.newDrops(since: &saidDrops)
      || (statistics.singleFields > 0 && !hasPostedSingleFields)
    {
      hasPostedSingleFields = statistics.singleFields > 0
      postStatistics()
    }
  }

  /// Once, after the first frame was sent: the camera is asked for each control, which can take it a while.
  private mutating func restoreControls() {
    hasRestoredControls = true
    let notes = source.restoreControls()
    if !notes.isEmpty { board.post { $0.controlNotes = notes } }
  }

  /// The JPEG of a frame; a raw one goes back to the camera.
  private mutating func encode(_ frame: consuming Frame) throws(DropCause) -> Frame {
    guard source.isRaw else { return frame }
    let start = Clock.monotonic
    let frame = try source.encode(frame, repairs: reader.repairs)
    let end = Clock.monotonic
    meter.encoded(from: start, to: end)
    return frame
  }

  /// A frame began to leave before it was there, and is good.
  private mutating func countEarly() {
    statistics.early += 1
    if statistics.early == 1 { board.post { $0.isEarly = true } }
  }

  /// Plans a frame's packets, or what is left of them.
  private mutating func send(_ frame: borrowing Frame) throws(DropCause) {
    if frame.isDamaged && !reader.repairs { throw .damaged }
    let picture: JPEGPicture
    let wasBegun = arriving != nil
    if let rest = sendRest(frame) {
      picture = rest
    } else {
      picture = try sendWhole(frame)
      wasBadlyBegun = wasBegun
    }
    lastSize = picture.scan.count
    if picture.isRepaired || frame.isDamaged { statistics.repaired += 1 }
    if picture.skipped > 0 { statistics.skip(picture.skipped) }
    if picture.isField { statistics.singleFields += 1 }
  }

  /// Plans what is left of the frame of which a part was sent while it arrived.
  /// - Returns: nil where there is none, or where what was sent turns out to be no part of its picture.
  private mutating func sendRest(_ frame: borrowing Frame) -> JPEGPicture? {
    guard let arriving else { return nil }
    do throws(DropCause) {
      let picture = try reader.finish(arriving.picture, in: frame.bytes)
      try delivery.extend(picture.scan, isWhole: true)
      return picture
    } catch {
      endFrame()
      return nil
    }
  }

  private mutating func sendWhole(_ frame: borrowing Frame) throws(DropCause) -> JPEGPicture {
    let picture = try reader.read(frame.bytes, isExact: source.isRaw)
    try delivery.begin(picture, timestamp: lookout.timestamp(ofWhole: frame.timestamp))
    return picture
  }

  /// Sends what has arrived of the frame that the camera is filling.
  private mutating func look() throws {
    let now = Clock.monotonic
    let arrived = source.look()
    lookedAt = arrived?.bytes.baseAddress
    if let next = lookout.look(arrived, at: now) { try events.waitToLook(at: next) }
    // One frame at a time: the one before is still on its way.
    guard lookout.isUsing, let arrived, inFlight == nil, !isUnfit, delivery.destinations.count > 0 else { return }
    if arriving == nil { begin(arrived, at: now) }
    guard arriving?.start == arrived.bytes.baseAddress, let scan = arriving?.picture.advance(arrived.bytes) else {
      return
    }
    do throws(DropCause) { try delivery.extend(scan, isWhole: false) } catch {
      // It will say so when it is done.
      isUnfit = true
      endFrame()
    }
    try pushAll()
  }

  /// Begins with a frame that the camera is filling, if its header can be sent.
  private mutating func begin(_ arrived: Arrived, at now: Int64) {
    let picture: ArrivingPicture?
    do throws(JPEGFault) { picture = try reader.begin(arrived.bytes) } catch {
      isUnfit = true
      return
    }
    guard let picture, let start = arrived.bytes.baseAddress else { return }
    makeRoom()
    delivery.begin(picture.header, timestamp: lookout.timestamp(at: now), expecting: lastSize)
    arriving = (start, picture)
  }

  /// A frame is there: whether it is the one that is being sent already, and when to look for the next one.
  private mutating func lookAhead(_ frame: borrowing Frame) throws {
    if let start = arriving?.start, start != frame.bytes.baseAddress || !gaps.isNext { endFrame() }
    guard !lookout.hasGivenUp else { return }
    let next = lookout.done(
      Lookout.Frame(
        timestamp: frame.timestamp, takenAt: Clock.monotonic, bytes: frame.bytes,
        isStamped: source.timestampSource == .startOfExposure,
        isSame: lookedAt == frame.bytes.baseAddress && gaps.isNext))
    lookedAt = nil
    if lookout.isUsing { lookout.tell(isUnfit: isUnfit || wasBadlyBegun) }
    wasBadlyBegun = false
    if let next, !lookout.hasGivenUp { return try events.waitToLook(at: next) }
    source.stopWatching()
    let obstacle = lookout.obstacle
    board.post { $0.obstacle = obstacle }
  }

  /// Ends the frame before, whatever is left of it, and sees to what is done between two.
  private mutating func makeRoom() {
    endFrame()
    if !hasBegun { begin() }
    if hasCollided { changeSource() }
    if delivery.isTooLarge, delivery.adaptPacketSize() { postPacketSize() }
  }

  /// The frame that is to be sent now: where the loop is behind, the newest.
  private mutating func nextFrame() throws -> Frame? {
    guard var frame = try source.next() else { return nil }
    guard judge(frame) else {
      if arriving != nil { endFrame() }
      return nil
    }
    guard !options.keepsAll, source.isQueue, lateness.isLate(Clock.monotonic - frame.timestamp) else { return frame }
    // What is in flight is staler still; what is only arriving may be this very frame.
    if inFlight != nil { endFrame() }
    for _ in 0..<Self.mostQueued {
      guard let newer = try source.next() else { break }
      guard judge(newer) else { continue }
      statistics.stale += 1
      frame = newer
      // Its buffer may be filled anew by now.
      if arriving != nil { endFrame() }
    }
    return frame
  }

  /// More than any driver's queue holds: a camera that is quicker than the loop shall not keep it from all else.
  private static var mostQueued: Int { 32 }

  /// Counts what is missing before a frame. One that comes behind a newer one would set receivers back: it is not sent,
  /// and was counted as missing already.
  private mutating func judge(_ frame: borrowing Frame) -> Bool {
    guard case .next(let missing) = gaps.judge(frame.sequence, at: frame.timestamp) else { return false }
    switch meter.count(frame, isNext: gaps.isNext) {
    case .warmingUp, .measuring:
      count(missing: missing, before: frame.timestamp)
      statistics.captured += 1
    case .starting:
      // What was before, is none of it.
      if isMeasured { statistics = StreamStatistics() }
      statistics.captured += 1
    case .done: break
    }
    if isMeasured { board.progress.store(meter.seen, ordering: .relaxed) }
    return true
  }

  private mutating func count(missing: UInt64, before timestamp: Int64) {
    guard missing > 0 else { return }
    guard let workedThrough = source.workedThrough else { return statistics[.driver] += missing }
    let tooSlow = timestamp < events.sourceHeldUntil ? missing : min(missing, workedThrough)
    statistics[.tooSlow] += tooSlow
    statistics[.missedBeat] += missing - tooSlow
  }

  /// Sends all receivers what there is to send now.
  private mutating func pushAll() throws {
    for index in 0..<delivery.destinations.count { try push(index) }
    // Without receivers, too.
    if delivery.isUnderWay, delivery.isDone { endFrame() }
  }

  /// Sends a receiver as much as its socket takes; the frame goes back when all receivers have it.
  private mutating func push(_ index: Int) throws {
    guard delivery.isUnderWay else {
      // Its frame was abandoned while it waited.
      return try events.wait(false, for: &delivery.destinations[index])
    }
    let wasSegmenting = delivery.destinations[index].isSegmenting
    let start = meter.start
    var progress = delivery.push(index, &statistics)
    if let start, delivery.destinations[index].sent > 0 {
      meter.startedSending(at: start, isWhole: inFlight != nil, firstSeen: lookout.firstSeen)
    }
    if progress == .tooLarge { progress = try shrink(index) }
    try events.wait(progress == .full, for: &delivery.destinations[index])
    if progress == .paced { try events.waitForPace(until: Clock.monotonic + Pace.tick) }
    if delivery.destinations[index].errno != delivery.destinations[index].saidErrno { postError(of: index) }
    if wasSegmenting && !delivery.destinations[index].isSegmenting {
      board.post { $0.receivers[index].refusesSegments = true }
    }
    if delivery.isUnderWay, delivery.isDone {
      if delivery.isComplete { meter.endedSending() }
      endFrame()
    }
  }

  /// Packets are larger than the way to a receiver takes.
  private mutating func shrink(_ index: Int) throws -> Destination.Progress {
    if let frame = inFlight?.bytes, let picture = try? reader.read(frame, isExact: source.isRaw),
      delivery.shrink(picture)
    {
      postPacketSize()
      // To the others it is a new frame as well.
      for other in 0..<delivery.destinations.count where other != index { try push(other) }
      let progress = delivery.push(index, &statistics)
      if progress != .tooLarge { return progress }
    }
    delivery.giveUp(index, &statistics)
    return .unreachable
  }

  /// Gives the frame in flight back to the camera; what is not sent of it is left out.
  private mutating func endFrame() {
    delivery.end(&statistics)
    let wasLent = inFlight != nil
    inFlight = nil
    meter.end(wasLent: wasLent)
    arriving = nil
  }

  /// Once a second.
  private mutating func watch() throws {
    try watchSource()
    let now = Clock.monotonic
    for index in 0..<delivery.destinations.count { delivery.destinations[index].recover(now: now) }
    if !delivery.isUnderWay, delivery.adaptPacketSize() { postPacketSize() }
    mayPostSize = true
    if delivery.pictureSize != postedSize { postPictureSize() }
    watches += 1
    // Asking takes a lock of the kernel's that others can hold for a while.
    if watches % 3 == 0 { for index in 0..<delivery.destinations.count { choosePacer(of: index) } }
    postBuffers()
  }

  /// Finds out whether the camera stalls, or only epoll is not told of its frames.
  private mutating func watchSource() throws {
    let isUnreported = statistics.captured == watchedFrames && mayTake && Epoll.isReadable(source.number)
    unreportedWatches = isUnreported ? unreportedWatches + 1 : 0
    // Once, it may be a frame that came just now.
    if unreportedWatches == 2, !events.addsSourceAgain {
      events.addsSourceAgain = true
      board.post { $0.isAskedAgain = true }
    }
    watchedFrames = statistics.captured
    if source.hasFaultyTimestamps && !reportedTimestamps {
      reportedTimestamps = true
      board.post { $0.hasFaultyTimestamps = true }
    }
    guard silence.check(statistics.captured, at: Clock.monotonic, mayCome: mayTake) else { return }
    postStatistics()
    guard silence.isSilent, source.isFed else { return }
    throw Failure(
      "it has given no frame for some seconds: the program that feeds this loopback device stopped, or never started;"
        + " \(Device.feedRemedy)")
  }

  /// Finds out who is to spread a receiver's packets: a device's queue can be changed, and so can the way.
  private mutating func choosePacer(of index: Int) {
    guard delivery.isPaced, delivery.destinations[index].choosePacer(options.route.interface) else { return }
    let pacing = delivery.destinations[index].pacer.text
    board.post { $0.receivers[index].pacing = pacing }
  }

  /// Tells the main thread of sockets that hold less than two frames.
  private mutating func postBuffers() {
    for index in 0..<delivery.destinations.count
    where !delivery.destinations[index].hasBuffer && !delivery.destinations[index].saidBuffer {
      delivery.destinations[index].saidBuffer = true
      board.post { $0.receivers[index].hasSmallBuffer = true }
    }
  }

  private mutating func postPictureSize() {
    let size = delivery.pictureSize
    postedSize = size
    mayPostSize = false
    board.post { $0.pictureSize = size }
  }

  private func postPacketSize() {
    let size = delivery.largestPacket
    board.post { $0.packetSize = size }
  }

  /// Tells the main thread the first time that a receiver's packets fail, and when the reason changes.
  private mutating func postError(of index: Int) {
    let errno = delivery.destinations[index].errno
    guard delivery.destinations[index].saidErrno != errno else { return }
    delivery.destinations[index].saidErrno = errno
    board.post { $0.receivers[index].errno = errno }
  }

  /// The first frame is here.
  private mutating func begin() {
    hasBegun = true
    postTimestampSource()
    let now = Clock.monotonic
    for index in 0..<delivery.destinations.count { delivery.destinations[index].reports.start(now: now) }
  }

  /// Sends the receivers the reports that are due.
  private mutating func report() throws {
    isReporting = true
    let time = Clock.pair
    for index in 0..<delivery.destinations.count {
      delivery.destinations[index].reports.report(
        ssrc: delivery.ssrc, clock: delivery.clock, time: time, scratch: scratch)
    }
    try waitToReport()
  }

  private func waitToReport() throws {
    var next = Int64.max
    for index in 0..<delivery.destinations.count { next = min(next, delivery.destinations[index].reports.due ?? .max) }
    try events.waitToReport(at: next)
  }

  /// Takes a receiver's report.
  private mutating func hear(_ index: Int) throws {
    // Who leaves brings the next report nearer.
    defer { if isReporting { try? waitToReport() } }
    switch delivery.destinations[index].reports.hear(ssrc: delivery.ssrc, scratch: scratch) {
    case .nothing: break
    case .collision:
      // Once in a while: who sends such reports without end shall not have the stream begin anew without end.
      if Clock.monotonic - lastCollision > 10_000_000_000 { hasCollided = true }
    case .foreign(let address):
      let receiver = delivery.destinations[index].address
      board.post { if $0.foreignReport == nil { $0.foreignReport = (address, receiver) } }
    case .failed(let errno):
      delivery.fail(index, errno, &statistics)
      postError(of: index)
    }
  }

  /// Goes on under another SSRC (RFC 3550, 8.2).
  private mutating func changeSource() {
    hasCollided = false
    let time = Clock.pair
    lastCollision = time.monotonic
    sayGoodbye(time)
    for index in 0..<delivery.destinations.count { delivery.destinations[index].reports.restart(now: time.monotonic) }
    delivery.changeSource()
    isReporting = false
    let ssrc = delivery.ssrc
    board.post { $0.changedSSRC = ssrc }
  }

  /// Ends the source for all receivers.
  private mutating func sayGoodbye(_ time: (monotonic: Int64, realtime: Int64)) {
    for index in 0..<delivery.destinations.count { sayGoodbye(to: index, time) }
  }

  private mutating func sayGoodbye(to index: Int, _ time: (monotonic: Int64, realtime: Int64)) {
    delivery.destinations[index].reports.sayGoodbye(
      ssrc: delivery.ssrc, clock: delivery.clock, time: time, scratch: scratch)
  }

  private func postInfo() {
    let info = source.info
    let isWatched = source.isWatched
    let now = Clock.monotonic
    board.post { state in
      state.info = info
      state.statisticsTime = now
      if !isWatched { state.obstacle = .unseen }
    }
  }

  private func postTimestampSource() {
    let timestamps = source.timestampSource
    board.post { $0.timestampSource = timestamps }
  }

  private func postStatistics(isTick: Bool = false) {
    let now = Clock.monotonic
    board.post { state in
      state.statistics = statistics
      state.statisticsTime = now
      state.isSilent = silence.isSilent
      for index in 0..<delivery.destinations.count {
        state.receivers[index].reception = delivery.destinations[index].reports.reception
        state.receivers[index].hasReported = delivery.destinations[index].reports.hasReported
        state.receivers[index].isFailing = delivery.destinations[index].hasFailed(lately: now)
      }
      if isTick { state.ticks += 1 }
    }
  }

  private mutating func finish() {
    if inFlight != nil {
      delivery.flush(&statistics)
      if delivery.isComplete { meter.endedSending() }
    }
    delivery.end(&statistics, isLast: true)
    meter.end(wasLent: inFlight != nil)
    inFlight = nil
    sayGoodbye(Clock.pair)
    postStatistics()
    if isMeasured { postMeasured(isOver: true) }
  }

  /// Tells the main thread what was measured so far.
  private mutating func postMeasured(isOver: Bool) {
    let measured = meter.result(statistics, isOver: isOver)
    board.post { state in
      state.measured = measured
      state.measurements += 1
    }
  }
}
