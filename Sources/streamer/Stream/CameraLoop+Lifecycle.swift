import LinuxIO
import V4L2Capture

/// Opening, losing and reopening the camera. Receivers, SSRC, sequence numbers and the media clock stay as they are.
extension CameraLoop {
  /// Does what the lifecycle decided.
  mutating func perform(_ action: CameraLifecycle.Action) throws {
    switch action {
    case .none: break
    case .open: try open()
    case .reopen:
      close()
      try open()
    case .restartStream: try restart()
    case .resetDevice: try reset()
    case .close: close()
    case .retry(let time):
      close()
      try events.waitToRetry(at: time)
    // The loop ends, and flushes what is in flight first.
    case .end: break
    }
    postNews()
  }

  private mutating func open() throws {
    do {
      let camera = try OpenCamera(try located(), settings)
      try adopt(camera)
    } catch {
      failure = error
      return try perform(lifecycle.failed(CameraFailure(error), at: Clock.monotonic))
    }
    failure = nil
    try perform(lifecycle.opened(frames: record.statistics.captured, at: Clock.monotonic))
  }

  /// The camera where it is now.
  private func located() throws -> CameraName {
    guard let locator else { return settings.camera }
    if let path = locator.locate() { return .device(path) }
    // Its own error tells what is wrong with the path.
    guard locator.identity != nil else { return settings.camera }
    throw SystemCallError("open", on: locator.path, .noDevice)
  }

  private mutating func adopt(_ opened: consuming OpenCamera) throws {
    let info = opened.info
    if let path = opened.source.path, locator?.recordOpened(path) == false {
      throw SystemCallError("open", on: path, .noDevice)
    }
    try events.add(opened.source)
    camera = opened
    let interval = info?.rate?.interval
    session.prepare(largestFrame: info?.largestFrame ?? 0, interval: interval)
    reader.prepare(interval: interval ?? OpenCamera.usualInterval)
    lifecycle.setStallTimeout(settings.stallTimeout ?? StallDetector.usualPatience(info?.rate))
    if !hasArrangedThread { CameraThread.arrange(settings) }
    hasArrangedThread = true
    postInfo()
    postTwin()
  }

  /// Cameras appeared: this one may be among them, or another one that is like it.
  mutating func lookForCameras() throws {
    locator?.lookForTwin()
    postTwin()
    try perform(lifecycle.appeared(at: Clock.monotonic))
  }

  private mutating func postTwin() {
    if let warning = locator?.nextWarning() { board.post { $0.controlNotes.append(warning) } }
  }

  /// Lets the camera go. What was being sent of its last frame ends there.
  private mutating func close() {
    guard camera.info != nil else { return }
    session.endFrame(&record)
    events.removeSource()
    camera = OpenCamera()
  }

  private mutating func restart() throws {
    session.endFrame(&record)
    do {
      guard try camera.source.restart() else { return try perform(.reopen) }
    } catch { try fail(error) }
  }

  private mutating func reset() throws {
    close()
    var isPossible = false
    if let node = locator?.usbNode {
      do throws(SystemCallError) {
        try USBReset.reset(node)
        isPossible = true
      } catch {
        let reason = "\(error)"
        board.post { $0.controlNotes.append(reason) }
      }
    }
    try perform(lifecycle.reset(isPossible: isPossible, at: Clock.monotonic))
  }

  /// The camera failed.
  mutating func fail(_ error: any Error) throws {
    failure = error
    try perform(lifecycle.failed(CameraFailure(error), at: Clock.monotonic))
    if lifecycle.state != .ended { postStatistics() }
  }

  /// Finds out whether it gives frames, and whether it is time to open it again.
  mutating func checkCamera() throws {
    let action = lifecycle.tick(frames: record.statistics.captured, mayCome: acceptsFrame, at: Clock.monotonic)
    if action == .restartStream, camera.source.isFed {
      let error = Failure(
        "it has given no frame for some seconds: the program that feeds this loopback device stopped, or never started;"
          + " \(Device.feedRemedy)")
      guard !settings.lifecycle.waits else { return try fail(error) }
      failure = error
      return try perform(lifecycle.stop())
    }
    try perform(action)
  }

  private func postInfo() {
    let info = camera.info
    let isWatched = camera.source.isWatched
    let now = Clock.monotonic
    board.post { state in
      state.info = info
      if state.statisticsTime == 0 { state.statisticsTime = now }
      if !isWatched { state.earlyRefusal = .unseen }
    }
  }

  /// Reports what changed.
  private mutating func postNews() {
    let reason = failure.map { "\($0)" }
    guard let state = lifecycle.nextNews(reason: reason), state != .ended else { return }
    board.post { $0.events.append(.camera(state, reason: reason)) }
  }
}
