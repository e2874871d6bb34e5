import CLinux
import Glibc

/// Signals as events of an epoll (signalfd) instead of interruptions.
public struct Signals: ~Copyable {
  private let descriptor: FileDescriptor

  /// Takes SIGINT and SIGTERM over from now on, and ignores SIGPIPE. Call it before any thread starts: threads
  /// inherit the mask.
  public init() throws(SystemCallError) {
    signal(SIGPIPE, SIG_IGN)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &set, nil)
    descriptor = FileDescriptor(
      owning: try checked("signalfd", on: "SIGINT and SIGTERM") {
        signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
      })
  }

  /// For epoll.
  public var number: Int32 { descriptor.number }

  /// The next signal that came; nil where there is none.
  public func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return Glibc.read(number, &info, size) == size ? Int32(info.ssi_signo) : nil
  }
}
