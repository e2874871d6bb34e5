import CLinux
import Glibc

/// A flag that one thread raises and another's epoll sees.
public struct EventFD: ~Copyable, Sendable {
  private let descriptor: FileDescriptor

  public init() throws(SystemCallError) {
    descriptor = FileDescriptor(
      owning: try checked("eventfd", on: "the loop") {
        eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
      })
  }

  /// For epoll.
  public var number: Int32 { descriptor.number }

  /// Raises the flag. Never waits.
  public func raise() {
    var one: UInt64 = 1
    _ = Glibc.write(number, &one, 8)
  }

  /// Lowers the flag again.
  public func lower() {
    var count: UInt64 = 0
    _ = Glibc.read(number, &count, 8)
  }
}
