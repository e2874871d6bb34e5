import CLinux
import Glibc

/// The kernel's list of descriptors to wait for: a loop has one.
public struct Epoll: ~Copyable {
  private let descriptor: FileDescriptor
  private let ready: UnsafeMutablePointer<epoll_event>
  private let capacity: Int

  /// What to wait for.
  public enum Interest: Sendable {
    case readable, writable
    /// A V4L2 device: a frame is done, or an event came, which `hasPriorityData(at:)` tells.
    case readableOrPriority
    /// A timer that expires once, and is started again: its expiry is told once, and need not be read.
    case expiring
  }

  /// - Parameter capacity: the most events one `wait` gives; more are given by the next.
  public init(capacity: Int = 16) throws(SystemCallError) {
    descriptor = FileDescriptor(
      owning: try checked("epoll_create1", on: "the loop") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    ready = .allocate(capacity: capacity)
    ready.initialize(repeating: epoll_event(), count: capacity)
    self.capacity = capacity
  }

  deinit { ready.deallocate() }

  /// For another epoll: readable while something of this one is ready.
  var fileDescriptor: Int32 { descriptor.number }

  /// Watches a descriptor from now on. Errors and hang-ups are reported, too, whatever the interest.
  /// - Parameter token: what `wait` gives back when it is ready.
  public func add(_ number: Int32, _ interest: Interest, token: UInt64) throws(SystemCallError) {
    let events =
      switch interest {
      case .readable: EPOLLIN.rawValue
      case .writable: EPOLLOUT.rawValue
      case .readableOrPriority: EPOLLIN.rawValue | EPOLLPRI.rawValue
      case .expiring: EPOLLIN.rawValue | EPOLLET.rawValue
      }
    var event = epoll_event(events: events, data: epoll_data_t(u64: token))
    try checked("EPOLL_CTL_ADD", on: "descriptor \(number)") {
      epoll_ctl(descriptor.number, EPOLL_CTL_ADD, number, &event)
    }
  }

  /// No longer watches a descriptor.
  public func remove(_ number: Int32) {
    var unused = epoll_event()
    _ = epoll_ctl(descriptor.number, EPOLL_CTL_DEL, number, &unused)
  }

  /// Asks a file descriptor itself whether it is readable now (poll(2)), not what an epoll was told of it.
  public static func isReadable(_ fileDescriptor: Int32) -> Bool {
    var entry = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLIN) != 0
  }

  /// Sleeps until a descriptor is ready.
  /// - Parameter milliseconds: the longest sleep; -1 is for ever.
  /// - Returns: how many are ready (0 after the longest sleep, or when a signal came); see `token(at:)`.
  public func wait(milliseconds: Int32 = -1) -> Int {
    max(0, Int(epoll_wait(descriptor.number, ready, Int32(capacity), milliseconds)))
  }

  /// The token of the ready descriptor `index` of the last `wait`.
  public func token(at index: Int) -> UInt64 { ready[index].data.u64 }

  /// The ready descriptor `index` has priority data (EPOLLPRI): of a V4L2 device, an event.
  public func hasPriorityData(at index: Int) -> Bool { ready[index].events & EPOLLPRI.rawValue != 0 }

  /// The ready descriptor `index` reports an error or a hang-up (EPOLLERR, EPOLLHUP), as an unplugged camera's does.
  public func hasFailed(at index: Int) -> Bool {
    ready[index].events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
  }
}
