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
  static func arrange(_ settings: StreamSettings) {
    if let cpu = settings.thread.cpu, let errno = Thread.pin(toCPU: cpu) {
      settings.log.warning("\(settings.camera.label): runs unbound: CPU \(cpu) is not available: \(errno)")
    }
    if let priority = settings.thread.priority, let errno = Thread.setRealtime(priority: priority) {
      settings.log.warning(
        "\(settings.camera.label): runs without real-time priority: \(errno); CAP_SYS_NICE allows it: as root, or in a"
          + " systemd unit 'AmbientCapabilities=CAP_SYS_NICE CAP_IPC_LOCK'")
    }
  }

  private static func stream(_ settings: StreamSettings, _ mailbox: Mailbox, _ board: Board) throws {
    var loop = try CameraLoop(settings, mailbox: mailbox, board: board)
    try loop.run()
  }
}
