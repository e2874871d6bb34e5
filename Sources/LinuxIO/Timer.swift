import CLinux
import Glibc

/// A periodic timer that an epoll sees (timerfd on CLOCK_MONOTONIC).
public struct Timer: ~Copyable {
  private let descriptor: FileDescriptor

  public init() throws(SystemCallError) {
    descriptor = FileDescriptor(
      owning: try checked("timerfd_create", on: "the loop") {
        timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
      })
  }

  /// For epoll.
  public var number: Int32 { descriptor.number }

  /// Starts it.
  /// - Parameters:
  ///   - first: the first expiry, an instant of `Clock.monotonic` in nanoseconds.
  ///   - interval: nanoseconds between expiries; 0: there is one only.
  public func start(first: Int64, every interval: Int64 = 0) throws(SystemCallError) {
    var setting = itimerspec(
      it_interval: timespec(nanoseconds: interval), it_value: timespec(nanoseconds: max(1, first)))
    try checked("timerfd_settime", on: "the loop") {
      timerfd_settime(number, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }
  }

  /// How often it expired since the last call; 0 where it did not.
  public func expirations() -> UInt64 {
    var count: UInt64 = 0
    return Glibc.read(number, &count, 8) == 8 ? count : 0
  }
}

extension timespec {
  init(nanoseconds: Int64) {
    self.init(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}
