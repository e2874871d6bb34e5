import CLinux
import Glibc

/// A UDP socket for single datagrams both ways, such as reports; `DatagramSender` and `DatagramReceiver` are for many.
public struct DatagramSocket: ~Copyable {
  private let socket: UDPSocket

  /// Takes datagrams at an address of this machine (port 0: the kernel chooses), or those to a multicast group.
  /// - Parameter interface: that a group is joined on; nil: the routing table's.
  public init(at address: SocketAddress, interface: String? = nil) throws(SystemCallError) {
    let socket = try UDPSocket(address.family, name: address.description)
    socket.allowBroadcast()
    try socket.listen(at: address, interface: interface)
    self.socket = socket
  }

  /// Takes datagrams to a multicast group, once `join` joined it.
  public init(before group: SocketAddress) throws(SystemCallError) {
    let socket = try UDPSocket(group.family, name: group.description)
    try socket.bind(toGroup: group)
    self.socket = socket
  }

  /// Joins a multicast group.
  /// - Parameter interface: that it is joined on; nil: the routing table's.
  /// - Returns: why it can't be: ENODEV as long as there is no route.
  public func join(_ group: SocketAddress, interface: String?) -> Errno? { socket.join(group, interface: interface) }

  /// Uses a sender's own port, from its receiver alone. An epoll can watch it apart from the sender.
  public init(sharing sender: borrowing DatagramSender) throws(SystemCallError) {
    let destination = sender.destination
    let number = sender.number
    let copy = try checked("fcntl", on: destination.description) { clinux_duplicate(number) }
    socket = UDPSocket(owning: copy, name: destination.description)
  }

  /// For epoll.
  public var number: Int32 { socket.number }

  public var localAddress: SocketAddress { socket.localAddress }

  /// Sets how its datagrams travel.
  public func setRoute(_ route: Route, to destination: SocketAddress) throws(SystemCallError) {
    try route.apply(to: socket, destination)
  }

  /// Sends one datagram.
  /// - Parameter local: this machine's address that it leaves from; nil: the routing table's.
  public func send(
    _ bytes: UnsafeRawBufferPointer, to address: SocketAddress, from local: SocketAddress? = nil
  ) -> Errno? {
    socket.send(bytes, to: address, from: local)
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
    var storage = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let (count, errno) = withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        retrying {
          recvfrom(number, memory.baseAddress, memory.count, 0, __SOCKADDR_ARG(__sockaddr__: address), &length)
        }
      }
    }
    if let errno {
      // A sender's own socket may have woken epoll with nothing but an error in its queue.
      socket.clearErrors()
      return errno == .wouldBlock ? .none : .failed(errno)
    }
    return .datagram(
      UnsafeRawBufferPointer(rebasing: memory[..<count]), from: SocketAddress(storage: storage, length: length))
  }
}
