import CLinux
import Glibc

/// The kernel's announcements of changed links, addresses and routes (rtnetlink(7)), for an epoll.
public struct NetworkMonitor: ~Copyable {
  private let descriptor: FileDescriptor
  private var memory: [UInt8]

  public init() throws(SystemCallError) {
    let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let socket = FileDescriptor(
      owning: try checked("socket", on: "rtnetlink") { Glibc.socket(AF_NETLINK, kind, NETLINK_ROUTE) })
    var address = sockaddr_nl()
    address.nl_family = sa_family_t(AF_NETLINK)
    address.nl_groups = UInt32(
      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)
    try checked("bind", on: "rtnetlink") {
      withUnsafeBytes(of: &address) { bytes in
        Glibc.bind(
          socket.number,
          __CONST_SOCKADDR_ARG(__sockaddr__: bytes.assumingMemoryBound(to: sockaddr.self).baseAddress),
          socklen_t(bytes.count))
      }
    }
    descriptor = socket
    memory = [UInt8](repeating: 0, count: 1 << 15)
  }

  /// For epoll; non-blocking.
  public var fileDescriptor: Int32 { descriptor.number }

  /// Datagrams that one call reads at most: the next one goes on.
  private static let maximumDatagrams = 64

  /// The changes since the last call, the oldest first.
  public mutating func events() -> [NetworkEvent] {
    var events: [NetworkEvent] = []
    for _ in 0..<Self.maximumDatagrams {
      var sender = sockaddr_nl()
      let (count, errno) = receive(from: &sender)
      switch errno {
      case nil: break
      case Errno(rawValue: ENOBUFS):
        events.append(.eventsLost)
        continue
      default: return events
      }
      // Programs can send to this socket, too; the kernel's port is 0.
      guard count > 0, sender.nl_pid == 0 else { continue }
      // Longer than the memory, and cut off: MSG_TRUNC gives its whole length.
      events += count > memory.count ? [.eventsLost] : NetworkEvent.parse(memory[..<count])
    }
    return events
  }

  private mutating func receive(from sender: inout sockaddr_nl) -> (Int, Errno?) {
    var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
    return withUnsafeMutableBytes(of: &sender) { sender in
      retrying {
        recvfrom(
          descriptor.number, &memory, memory.count, Int32(MSG_TRUNC),
          __SOCKADDR_ARG(__sockaddr__: sender.assumingMemoryBound(to: sockaddr.self).baseAddress), &length)
      }
    }
  }
}
