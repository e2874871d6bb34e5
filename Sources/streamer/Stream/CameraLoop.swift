import LinuxIO
import RTPCore
import V4L2Capture

/// A camera's loop, from its buffers to the wire: one thread, one epoll, one frame in flight.
struct CameraLoop: ~Copyable {
  let settings: StreamSettings
  private let mailbox: Mailbox
  let board: Board
  var events: LoopEvents
  var lifecycle: CameraLifecycle
  var camera = OpenCamera()
  /// Where a V4L2 camera is, which may be plugged in elsewhere when it is opened again.
  var locator: CameraLocator?
  /// Why the camera cannot be used, and why the stream ends.
  var failure: (any Error)?
  var hasArrangedThread = false
  var reader: FrameReader
  var session: RTPSession
  var record: StreamRecord

  init(_ settings: StreamSettings, mailbox: Mailbox, board: Board) throws {
    self.settings = settings
    self.mailbox = mailbox
    self.board = board
    events = try LoopEvents(mailbox: mailbox.number, statsSeconds: settings.thread.statsSeconds)
    lifecycle = CameraLifecycle(settings.lifecycle)
    if case .device(let path) = settings.camera { locator = CameraLocator(path) }
    reader = FrameReader(repairs: settings.frames.repairs, recodes: settings.frames.recodes)
    session = RTPSession(settings.session, ssrc: settings.ssrc, board: board)
    record = StreamRecord(settings.measurement)
  }

  /// Runs until it is told to stop.
  mutating func run() throws {
    defer { finish() }
    try perform(lifecycle.demand(true, at: Clock.monotonic))
    // The first receivers are there already.
    var hasMail = true
    var isStarting = true
    while lifecycle.state != .ended {
      // After this round's events, which may be of a receiver that a message removes.
      if hasMail { try takeMail(isStarting) }
      hasMail = false
      isStarting = false
      if record.meter.isDone || lifecycle.state == .ended { break }
      if acceptsFrame { try events.waitForSource(true) }
      for index in 0..<events.wait() {
        switch events[index] {
        case .source: if acceptsFrame { try takeFrame() } else { try events.waitForSource(false) }
        case .sourceEvent: if camera.source.hasChanged() { try perform(lifecycle.sourceChanged(at: Clock.monotonic)) }
        case .retry: try checkCamera()
        case .mail: hasMail = true
        case .stats: postStatistics(isTick: true)
        case .check: try check()
        case .pace: try session.sendAll(&record, events)
        case .poll: try poll()
        case .report: try session.report(&record.statistics, events)
        case .destination(let id): try session.resume(id: id, &record, events)
        case .feedback(let id): session.receiveRTCP(id: id, &record.statistics, events)
        }
      }
    }
    if let failure { throw failure }
  }

  /// The next frame may be dequeued.
  var acceptsFrame: Bool { session.acceptsFrame(keepsAll: settings.frames.keepsAll) }

  /// Does what the main thread asks for.
  /// - Parameter isStarting: a receiver that cannot be added ends the stream.
  private mutating func takeMail(_ isStarting: Bool) throws {
    for message in mailbox.take() {
      switch message {
      case .stop:
        failure = nil
        return try perform(lifecycle.stop())
      case .add(let address):
        do { try session.add(address, events) } catch {
          if isStarting { throw error }
          let reason = "\(error)"
          board.post { $0.refusedReceivers.append(reason) }
        }
      case .remove(let address): try session.remove(address, &record, events)
      case .reconnect(let address): session.reconnect(address)
      case .queue(let address, let discipline): session.choosePacer(address, discipline)
      case .tell: postMeasured(isOver: false)
      case .camerasChanged: try lookForCameras()
      }
    }
  }

  /// Once a second.
  private mutating func check() throws {
    findUnreportedFrames()
    try checkCamera()
    session.check()
  }

  /// Finds out whether frames are there of which epoll is not told.
  private mutating func findUnreportedFrames() {
    let isUnreported = record.isStandingStill() && acceptsFrame && Epoll.isReadable(camera.source.fileDescriptor)
    camera.unreportedChecks = isUnreported ? camera.unreportedChecks + 1 : 0
    // Once, it may be a frame that came just now.
    if camera.unreportedChecks == 2, !events.addsSourceAgain {
      events.addsSourceAgain = true
      board.post { $0.isAskedAgain = true }
    }
    if camera.source.hasFaultyTimestamps && !camera.reportedFaultyTimestamps {
      camera.reportedFaultyTimestamps = true
      board.post { $0.hasFaultyTimestamps = true }
    }
  }

  mutating func postStatistics(isTick: Bool = false) {
    session.settle(&record.statistics)
    let now = Clock.monotonic
    board.post { state in
      state.statistics = record.statistics
      state.statisticsTime = now
      for index in 0..<session.receivers.count {
        state.receivers[index].reception = session.receivers[index].reports.reception
        state.receivers[index].hasReported = session.receivers[index].reports.hasReported
        state.receivers[index].isFailing = session.receivers[index].hasFailed(lately: now)
      }
      if isTick { state.ticks += 1 }
    }
  }

  private mutating func finish() {
    session.finish(&record)
    postStatistics()
    if record.meter.isLimited { postMeasured(isOver: true) }
  }

  /// Tells the main thread what was measured so far.
  private mutating func postMeasured(isOver: Bool) {
    let measured = record.meter.result(record.statistics, isOver: isOver)
    board.post { state in
      state.measured = measured
      state.measurements += 1
    }
  }
}
