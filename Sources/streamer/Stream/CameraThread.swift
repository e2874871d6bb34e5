import LinuxIO
import V4L2Capture

/// A camera's thread: opens the camera, runs its loop, and leaves on the board how it ended.
final class CameraThread {
  private var thread: Thread?
  let mailbox: Mailbox
  let board: Board

  init(_ settings: StreamSettings, number: Int) throws {
    let mailbox = try Mailbox()
    let board = try Board()
    self.mailbox = mailbox
    self.board = board
    for address in settings.destinations { mailbox.post(.add(address)) }
    thread = try Thread(name: "camera-\(number)") { Self.run(settings, mailbox, board) }
  }

  /// Sends the stream to other addresses where receivers refuse.
  func redirect(_ choice: inout AddressChoice) {
    for change in choice.next(now: Clock.monotonic) {
      mailbox.post(.remove(change.old))
      mailbox.post(.add(change.new))
    }
  }

  /// Waits for its end.
  func join() { thread.take()?.join() }

  private static func run(_ settings: StreamSettings, _ mailbox: Mailbox, _ board: Board) {
    let end: Board.End
    do {
      try stream(settings, mailbox, board)
      end = .stopped
    } catch let error as UsageError {
      end = .refused(error.description)
    } catch {
      end = .failed("\(error)")
    }
    board.post { $0.end = end }
  }

  /// Gives this thread its CPU and its priority. Behind the camera's start: threads that libcamera began by then have
  /// their own.
  private static func arrange(_ settings: StreamSettings) {
    if let cpu = settings.cpu, let errno = Thread.pin(toCPU: cpu) {
      settings.options.log.warning("\(settings.camera.label): runs unbound: CPU \(cpu) can't be had: \(errno)")
    }
    if let priority = settings.options.priority, let errno = Thread.setRealtime(priority: priority) {
      settings.options.log.warning(
        "\(settings.camera.label): runs without real-time priority: \(errno); CAP_SYS_NICE allows it: as root, or in a"
          + " systemd unit 'AmbientCapabilities=CAP_SYS_NICE CAP_IPC_LOCK'")
    }
  }

  private static func stream(_ settings: StreamSettings, _ mailbox: Mailbox, _ board: Board) throws {
    switch settings.camera {
    case .device(let path):
      let camera = try V4L2Camera(path, settings.options)
      if PixelFormat.sendable.contains(camera.format.format) {
        try run(V4L2Source(camera, settings.options), settings, mailbox, board)
      } else {
        try run(RawV4L2Source(camera, settings.options), settings, mailbox, board)
      }
    case .libcamera(let name):
      let camera = try LibcameraCamera(name, settings.options)
      if PixelFormat.sendable.contains(camera.format.format) {
        try run(LibcameraSource(camera), settings, mailbox, board)
      } else {
        try run(RawLibcameraSource(camera, settings.options), settings, mailbox, board)
      }
    case .test: try run(TestSource(settings.options), settings, mailbox, board)
    case .file(let path):
      try run(FileSource(path, settings.options.request, log: settings.options.log), settings, mailbox, board)
    }
  }

  private static func run<Source: FrameSource & ~Copyable>(
    _ source: consuming Source, _ settings: StreamSettings, _ mailbox: Mailbox, _ board: Board
  ) throws {
    let events = try LoopEvents(
      source: source.number, mailbox: mailbox.number, statsSeconds: settings.options.statsSeconds)
    arrange(settings)
    var loop = CameraLoop(source, settings, events: events, mailbox: mailbox, board: board)
    try loop.run()
  }
}
