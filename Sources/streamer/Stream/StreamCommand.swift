import LinuxIO

/// `streamer CAMERA... --to ...`: starts a thread for each camera, and prints what they leave on their boards.
struct StreamCommand {
  private let options: StreamOptions
  private var log: Log { options.log }

  init(_ options: StreamOptions) { self.options = options }

  func run() throws -> Int32 {
    var sdp = try SDPFiles(options)
    var signals = try Signals()
    let epoll = try Epoll()
    let signalToken = UInt64.max
    try epoll.add(signals.number, .readable, token: signalToken)
    let settings = try options.cameras.indices.map { try StreamSettings(options, camera: $0) }
    options.lockMemory()
    let threads = try settings.enumerated().map { try CameraThread($1, number: $0) }
    var reporters = settings.map { Reporter($0, sdpPath: sdpPath($0)) }
    var choices = settings.map { AddressChoice($0) }
    for index in threads.indices {
      try epoll.add(threads[index].board.number, .readable, token: UInt64(index))
    }
    while reporters.contains(where: { !$0.hasEnded }) {
      for index in 0..<epoll.wait(milliseconds: pause(choices, sdp?.pause ?? -1)) {
        let token = epoll.token(at: index)
        if token == signalToken {
          switch signals.next() {
          case .tell: threads.forEach { $0.mailbox.post(.tell) }
          case .stop: stop(threads)
          // A camera whose driver hangs can't be waited for for ever.
          case .stopNow: return 1
          case nil: break
          }
          continue
        }
        let camera = Int(token)
        let wasStarting = reporters[camera].info == nil
        let state = threads[camera].board.read()
        reporters[camera].report(state)
        choices[camera].read(state)
        // Where one can't start, none goes on.
        if wasStarting, reporters.contains(where: { $0.hasEnded && $0.info == nil }) { stop(threads) }
      }
      for index in threads.indices { threads[index].redirect(&choices[index]) }
      sdp?.update(settings.indices.map { SDPStream(settings[$0], reporters[$0], choices[$0]) })
      sdp?.push()
    }
    threads.forEach { $0.join() }
    sdp?.end()
    return max(sdp?.hasFailed == true ? 1 : 0, reporters.map(\.status).max() ?? 0)
  }

  /// Milliseconds until one of them has something to do; -1: none has.
  private func pause(_ choices: [AddressChoice], _ other: Int32) -> Int32 {
    (choices.map(\.pause) + [other]).filter { $0 >= 0 }.min() ?? -1
  }

  private func stop(_ threads: [CameraThread]) { threads.forEach { $0.mailbox.post(.stop) } }

  /// The file that has the SDP of one camera for its first receiver.
  private func sdpPath(_ settings: StreamSettings) -> String? {
    options.sdpPath.map { path in
      options.cameras.count > 1 ? SDPFiles.name(path, camera: settings.name, receiver: 0) : path
    }
  }
}

extension SDPStream {
  /// nil until the camera's first frame is there.
  fileprivate init?(_ settings: StreamSettings, _ reporter: Reporter, _ choice: AddressChoice) {
    guard let size = reporter.pictureSize else { return nil }
    self.init(settings, size: size, rate: reporter.info?.rate, destinations: choice.destinations)
  }
}
