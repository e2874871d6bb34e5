import CLinux
import Glibc

/// Signals as events of an epoll (signalfd) instead of interruptions.
public struct Signals: ~Copyable {
  /// What the sender of a signal wants.
  public enum Wish {
    /// SIGINT, SIGTERM: that the program ends.
    case stop
    /// SIGUSR1: that it says how it goes.
    case tell
  }

  private let descriptor: FileDescriptor

  /// Takes SIGINT, SIGTERM and SIGUSR1 over from now on, and ignores SIGPIPE. Call it before any thread starts: threads
  /// inherit the mask.
  public init() throws(SystemCallError) {
    signal(SIGPIPE, SIG_IGN)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGUSR1)
    pthread_sigmask(SIG_BLOCK, &set, nil)
    descriptor = FileDescriptor(
      owning: try checked("signalfd", on: "SIGINT, SIGTERM and SIGUSR1") {
        signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
      })
  }

  /// For epoll.
  public var number: Int32 { descriptor.number }

  /// The next signal that came; nil where there is none.
  public func next() -> Wish? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard Glibc.read(number, &info, size) == size else { return nil }
    return Int32(info.ssi_signo) == SIGUSR1 ? .tell : .stop
  }
}
