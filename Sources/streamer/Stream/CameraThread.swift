import LinuxIO

/// A camera's thread: opens the camera, runs its loop, and leaves on the board how it ended.
final class CameraThread {
  private var thread: Thread?
  private let stop: StopSignal
  let board: Board

  init(_ settings: StreamSettings, number: Int) throws {
    let stop = try StopSignal()
    let board = try Board(destinations: settings.destinations.count)
    self.stop = stop
    self.board = board
    thread = try Thread(name: "camera-\(number)") { Self.run(settings, stop, board) }
  }

  /// Asks it to stop, and goes on.
  func requestStop() { stop.flag.raise() }

  /// Waits for its end.
  func join() { thread.take()?.join() }

  private static func run(_ settings: StreamSettings, _ stop: StopSignal, _ board: Board) {
    let end: Board.End
    do {
      if let cpu = settings.cpu, let errno = Thread.pin(toCPU: cpu) {
        settings.options.log.warning("\(settings.camera.label): runs unbound: CPU \(cpu) can't be had: \(errno)")
      }
      if let priority = settings.options.priority, let errno = Thread.setRealtime(priority: priority) {
        settings.options.log.warning(
          "\(settings.camera.label): runs without real-time priority: \(errno); CAP_SYS_NICE allows it: as root, or in a"
            + " systemd unit 'AmbientCapabilities=CAP_SYS_NICE CAP_IPC_LOCK'")
      }
      try stream(settings, stop, board)
      end = .stopped
    } catch let error as UsageError {
      end = .refused(error.description)
    } catch {
      end = .failed("\(error)")
    }
    board.post { $0.end = end }
  }

  private static func stream(_ settings: StreamSettings, _ stop: StopSignal, _ board: Board) throws {
    switch settings.camera {
    case .device(let path):
      try run(
        V4L2Source(path, settings.options.request, buffers: settings.options.buffers, log: settings.options.log),
        settings, stop, board)
    case .test: try run(TestSource(settings.options.request, quality: settings.options.quality), settings, stop, board)
    case .file(let path):
      try run(FileSource(path, settings.options.request, log: settings.options.log), settings, stop, board)
    }
  }

  private static func run<Source: FrameSource & ~Copyable>(
    _ source: consuming Source, _ settings: StreamSettings, _ stop: StopSignal, _ board: Board
  ) throws {
    let info = source.info
    let destinations = try DestinationList(settings.destinations, settings.options)
    let events = try LoopEvents(
      source: source.number, stop: stop.flag.number, statsSeconds: settings.options.statsSeconds,
      destinations: destinations)
    var loop = CameraLoop(source, settings, destinations: destinations, events: events, board: board)
    board.post { $0.info = info }
    try loop.run()
  }
}

/// The flag that the main thread raises and a camera's loop sees; both hold it.
private final class StopSignal: Sendable {
  let flag: EventFD
  init() throws { flag = try EventFD() }
}
