import LinuxIO

/// `streamer CAMERA... --to ...`: starts a thread for each camera, prints what they leave on their boards, tells them of
/// cameras that appear, and brings their streams back when the network changes.
struct StreamCommand {
  private let options: StreamOptions

  init(_ options: StreamOptions) { self.options = options }

  /// Other tokens of the epoll are cameras.
  private static let signalToken = UInt64.max
  private static let deviceToken = UInt64.max - 1
  private static let networkToken = UInt64.max - 2
  private static let answerToken = UInt64.max - 3

  /// How long names are waited for before the cameras start without them, in nanoseconds.
  private static let patience: Int64 = 2_000_000_000

  func run() throws -> Int32 {
    var sdp = try SDPFiles(options)
    var signals = try Signals()
    let epoll = try Epoll()
    try epoll.add(signals.number, .readable, token: Self.signalToken)
    var network = try NetworkWatch.open(options)
    try network.add(to: epoll, changes: Self.networkToken, answers: Self.answerToken)
    guard waitForNames(&network, epoll, &signals) else { return 0 }
    let settings = try options.cameras.indices.map { try StreamSettings(options, camera: $0, names: network.names) }
    network.start(at: Clock.monotonic)
    var devices = try DeviceEvents()
    try epoll.add(devices.fileDescriptor, .readable, token: Self.deviceToken)
    options.lockMemory()
    var cameras = try settings.enumerated().map { try CameraWatch($1, number: $0, sdpPath: sdpPath($1)) }
    for index in cameras.indices { try epoll.add(cameras[index].thread.board.number, .readable, token: UInt64(index)) }
    while cameras.contains(where: { !$0.reporter.hasEnded }) {
      let now = Clock.monotonic
      let pauses = [sdp?.pause ?? -1, network.pause(at: now)] + cameras.map { $0.pause(at: now) }
      for index in 0..<epoll.wait(milliseconds: pauses.filter { $0 >= 0 }.min() ?? -1) {
        switch epoll.token(at: index) {
        case Self.signalToken:
          // A camera whose driver hangs can't be waited for for ever.
          if obey(signals.next(), cameras) { return 1 }
        case Self.deviceToken: read(&devices, cameras)
        case Self.networkToken: network.readChanges(at: Clock.monotonic)
        case Self.answerToken: follow(network.readAnswers(at: Clock.monotonic), &cameras)
        case let token: read(Int(token), &cameras, &network)
        }
      }
      follow(network.next(at: Clock.monotonic), &cameras)
      for index in cameras.indices { cameras[index].update(at: Clock.monotonic) }
      sdp?.update(cameras.map(\.description))
      sdp?.push()
    }
    cameras.forEach { $0.thread.join() }
    sdp?.end()
    return max(sdp?.hasFailed == true ? 1 : 0, cameras.map(\.reporter.status).max() ?? 0)
  }

  /// Gives names a moment, in which most are found.
  /// - Returns: false: the program was told to stop.
  private func waitForNames(
    _ network: inout NetworkWatch, _ epoll: borrowing Epoll, _ signals: inout Signals
  ) -> Bool {
    let end = Clock.monotonic + Self.patience
    while !network.hasFirstAnswers {
      let left = end - Clock.monotonic
      guard left > 0 else { return true }
      for index in 0..<epoll.wait(milliseconds: Int32(left / 1_000_000 + 1)) {
        switch epoll.token(at: index) {
        case Self.signalToken: if signals.next() == .stop { return false }
        case Self.answerToken: network.readFirstAnswers()
        default: network.readChanges(at: Clock.monotonic)
        }
      }
    }
    return true
  }

  /// - Returns: whether the program ends at once.
  private func obey(_ signal: Signals.Wish?, _ cameras: [CameraWatch]) -> Bool {
    switch signal {
    case .tell: cameras.forEach { $0.thread.mailbox.post(.tell) }
    case .stop: stop(cameras)
    case .stopNow: return true
    case nil: break
    }
    return false
  }

  /// Device nodes appeared or vanished.
  private func read(_ devices: inout DeviceEvents, _ cameras: [CameraWatch]) {
    var hasChanged = false
    while let event = devices.next() { if case .vanished = event {} else { hasChanged = true } }
    if hasChanged { cameras.forEach { $0.thread.mailbox.post(.camerasChanged) } }
  }

  /// A camera's thread left something on its board.
  private func read(_ index: Int, _ cameras: inout [CameraWatch], _ network: inout NetworkWatch) {
    let wasStarting = cameras[index].reporter.info == nil
    let state = cameras[index].read()
    network.read(state, cameras[index].addresses, camera: index, at: Clock.monotonic)
    // Where one can't start, none goes on.
    if wasStarting, cameras.contains(where: { $0.reporter.hasEnded && $0.reporter.info == nil }) { stop(cameras) }
  }

  /// Does what a change of the network asks for.
  private func follow(_ commands: [NetworkWatch.Command], _ cameras: inout [CameraWatch]) {
    for command in commands {
      switch command {
      case .reconnect(let camera, let receiver): cameras[camera].reconnect(receiver)
      case .found(let camera, let receiver, let addresses):
        cameras[camera].adopt(addresses, of: receiver, at: Clock.monotonic)
      }
    }
  }

  private func stop(_ cameras: [CameraWatch]) { cameras.forEach { $0.thread.mailbox.post(.stop) } }

  /// The file that has the SDP of one camera for its first receiver.
  private func sdpPath(_ settings: StreamSettings) -> String? {
    options.sdpPath.map { path in
      options.cameras.count > 1 ? SDPFiles.name(path, camera: settings.name, receiver: 0) : path
    }
  }
}
