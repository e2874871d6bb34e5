import CLinux
import Glibc

/// A UDP socket for single datagrams both ways, such as reports; `DatagramSender` and `DatagramReceiver` are for many.
public struct DatagramSocket: ~Copyable {
  private let sockets: ListeningSockets

  /// Takes datagrams at an address of this machine (port 0: the kernel chooses), or those to a multicast group.
  /// - Parameter interface: that a group is joined on; nil: the routing table's.
  public init(at address: SocketAddress, interface: String? = nil) throws(SystemCallError) {
    let sockets = try ListeningSockets.open(at: [address], interface: interface) { socket, _ in socket.allowBroadcast()
    }
    self.sockets = sockets
  }

  /// Takes datagrams at the addresses of a name: at the first one of each family.
  public init(at addresses: [SocketAddress]) throws(SystemCallError) {
    let sockets = try ListeningSockets.open(at: addresses) { socket, _ in socket.allowBroadcast() }
    self.sockets = sockets
  }

  /// Takes datagrams to a multicast group, once `join` joined it.
  public init(before group: SocketAddress) throws(SystemCallError) {
    let socket = try UDPSocket(group.family, name: group.description)
    try socket.bind(toGroup: group)
    sockets = ListeningSockets(socket)
  }

  /// Joins a multicast group.
  /// - Parameter index: of the interface that it is joined on; 0: the routing table's.
  /// - Returns: why it can't be: ENODEV as long as there is no route.
  public func join(_ group: SocketAddress, onInterface index: UInt32) -> Errno? {
    sockets.first.join(group, onInterface: index)
  }

  /// Leaves it. A membership on an interface that is gone counts, too: a socket can have 20 (igmp_max_memberships).
  public func leave(_ group: SocketAddress, onInterface index: UInt32) {
    sockets.first.leave(group, onInterface: index)
  }

  /// Uses a sender's own port, from its receiver alone. An epoll can watch it apart from the sender.
  public init(sharing sender: borrowing DatagramSender) throws(SystemCallError) {
    let destination = sender.destination
    let number = sender.number
    let copy = try checked("fcntl", on: destination.description) { clinux_duplicate(number) }
    sockets = ListeningSockets(UDPSocket(owning: copy))
  }

  /// For epoll.
  public var number: Int32 { sockets.fileDescriptor }

  public var localAddress: SocketAddress { sockets.first.localAddress }

  /// Sets how its datagrams travel, when it is new.
  /// - Returns: why they cannot leave by the route's interface; see `setInterface`.
  public func setRoute(_ route: Route, to destination: SocketAddress) -> Errno? {
    route.apply(to: sockets.first, destination)
    return setInterface(route.interface, to: destination)
  }

  /// Binds it to the interface of that name again, which may be another one than before. Its port stays.
  /// - Parameter interface: nil: the routing table's.
  /// - Returns: ENODEV where there is none.
  public func setInterface(_ interface: String?, to destination: SocketAddress) -> Errno? {
    Connection(to: destination, by: interface).reset(sockets.first)
  }

  /// Sends one datagram.
  /// - Parameter local: this machine's address that it leaves from; nil: the routing table's.
  public func send(
    _ bytes: UnsafeRawBufferPointer, to address: SocketAddress, from local: SocketAddress? = nil
  ) -> Errno? {
    sockets.send(bytes, to: address, from: local)
  }

  /// What one `receive` came to.
  public enum Received {
    /// In the memory that was given.
    case datagram(UnsafeRawBufferPointer, from: SocketAddress)
    /// There is none.
    case none
    /// The answer to a datagram that was sent (ECONNREFUSED: nobody listens).
    case failed(Errno)
  }

  /// Takes a datagram that is there; what of it the memory does not hold is cut off.
  public func receive(into memory: UnsafeMutableRawBufferPointer) -> Received {
    let received = Self.receive(sockets.first.number, into: memory)
    if case .datagram = received { return received }
    // A sender's own socket may have woken epoll with nothing but an error in its queue.
    sockets.first.clearErrors()
    guard case .none = received, let second = sockets.secondDescriptor else { return received }
    return Self.receive(second, into: memory)
  }

  private static func receive(_ fileDescriptor: Int32, into memory: UnsafeMutableRawBufferPointer) -> Received {
    var storage = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let (count, errno) = withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        retrying {
          recvfrom(fileDescriptor, memory.baseAddress, memory.count, 0, __SOCKADDR_ARG(__sockaddr__: address), &length)
        }
      }
    }
    if let errno { return errno == .wouldBlock ? .none : .failed(errno) }
    return .datagram(
      UnsafeRawBufferPointer(rebasing: memory[..<count]), from: SocketAddress(storage: storage, length: length))
  }
}
