import CLinux
import Glibc

/// Signals as events of an epoll (signalfd) instead of interruptions.
public struct Signals: ~Copyable {
  /// What the sender of a signal wants.
  public enum Wish {
    /// SIGINT, SIGTERM, SIGHUP: that the program ends.
    case stop
    /// One of them again, after the grace: that it ends without waiting any longer.
    case stopNow
    /// SIGUSR1: that it says how it goes.
    case tell
  }

  private let descriptor: FileDescriptor
  /// When the program was first told to stop.
  private var stopped: Int64?

  /// Takes SIGINT, SIGTERM, SIGHUP and SIGUSR1 over from now on, and ignores SIGPIPE and SIGXFSZ: writing fails then. A
  /// SIGHUP that is ignored stays ignored: `nohup` wants it so. Call it before any thread starts: threads inherit the
  /// mask.
  public init() throws(SystemCallError) {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGUSR1] + (clinux_ignores(SIGHUP) != 0 ? [] : [SIGHUP]) {
      sigaddset(&set, number)
    }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    descriptor = FileDescriptor(
      owning: try checked("signalfd", on: "SIGINT, SIGTERM, SIGHUP and SIGUSR1") {
        signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
      })
  }

  /// For epoll.
  public var number: Int32 { descriptor.number }

  /// The next signal that came; nil where there is none, and of a stop that follows another at once: `timeout` signals
  /// its child and then the group that the child belongs to, and systemd can send SIGHUP after SIGTERM.
  public mutating func next() -> Wish? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard Glibc.read(number, &info, size) == size else { return nil }
    if Int32(info.ssi_signo) == SIGUSR1 { return .tell }
    guard let stopped else {
      self.stopped = Clock.monotonic
      return .stop
    }
    return Clock.monotonic - stopped > Self.grace ? .stopNow : nil
  }

  /// The program ends on its own: readers get as long as after a signal.
  public mutating func end() { stopped = stopped ?? Clock.monotonic }

  /// What cameras get to end, and a reader to take a result, once the program was told to stop: nanoseconds.
  private static let grace: Int64 = 1_000_000_000
  /// Milliseconds until a pipe without a reader is tried again.
  private static let pause: Int64 = 100

  /// Waits until a file descriptor can be written to.
  /// - Parameter other: nil where it is not open yet: it waits for a moment only.
  /// - Returns: false: it must be given up, since the program was told to stop a second ago.
  public mutating func wait(toWrite other: Int32?) -> Bool {
    var pause = other == nil ? Self.pause : .max
    while true {
      let left = stopped.map { $0 + Self.grace - Clock.monotonic } ?? .max
      guard left > 0 else { return false }
      let milliseconds = min(pause, left / 1_000_000 + 1)
      var events = [
        pollfd(fd: other ?? -1, events: Int16(POLLOUT), revents: 0),
        pollfd(fd: number, events: Int16(POLLIN), revents: 0),
      ]
      let before = Clock.monotonic
      let ready = poll(&events, 2, milliseconds > Int64(Int32.max) ? -1 : Int32(milliseconds))
      if events[0].revents != 0 { return true }
      if events[1].revents != 0 { _ = next() }
      if ready == 0, other == nil { return true }
      if other == nil { pause = max(0, pause - (Clock.monotonic - before) / 1_000_000) }
    }
  }
}
