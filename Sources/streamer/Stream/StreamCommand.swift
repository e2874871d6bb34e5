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
    var reporters = settings.map { Reporter($0, hasSDP: options.sdpPath != nil) }
    for index in threads.indices {
      try epoll.add(threads[index].board.number, .readable, token: UInt64(index))
    }
    var isStopping = false
    while reporters.contains(where: { !$0.hasEnded }) {
      for index in 0..<epoll.wait(milliseconds: sdp?.pause ?? -1) {
        let token = epoll.token(at: index)
        if token == signalToken {
          switch signals.next() {
          case .tell: threads.forEach { $0.mailbox.post(.tell) }
          case .stop:
            // A camera whose driver hangs can't be waited for for ever.
            if isStopping { return 1 }
            isStopping = true
            stop(threads)
          case nil: break
          }
          continue
        }
        let camera = Int(token)
        let wasStarting = reporters[camera].info == nil
        reporters[camera].report(threads[camera].board.read())
        if wasStarting { started(settings, reporters, threads, &sdp) }
      }
      sdp?.push()
    }
    threads.forEach { $0.join() }
    sdp?.end()
    return max(sdp?.hasFailed == true ? 1 : 0, reporters.map(\.status).max() ?? 0)
  }

  private func stop(_ threads: [CameraThread]) { threads.forEach { $0.mailbox.post(.stop) } }

  /// As soon as every camera streams, the SDP is known; where one can't start, none goes on.
  private func started(
    _ settings: [StreamSettings], _ reporters: [Reporter], _ threads: [CameraThread], _ sdp: inout SDPFiles?
  ) {
    if reporters.contains(where: { $0.hasEnded && $0.info == nil }) {
      stop(threads)
      return
    }
    let infos = reporters.compactMap(\.info)
    guard infos.count == settings.count else { return }
    sdp?.write(zip(settings, infos).map { SDPStream(settings: $0, size: $1.size, rate: $1.rate) })
  }
}
