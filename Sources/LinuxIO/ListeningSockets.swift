import Glibc

/// A port at one or two addresses of this machine, with a socket each: a name such as localhost has one of each family.
struct ListeningSockets: ~Copyable {
  let first: UDPSocket
  /// Few have one: its memory is apart.
  private let other: Other?

  /// For epoll.
  var fileDescriptor: Int32 { other?.bothDescriptor ?? first.number }

  /// The other socket; nil where there is one only.
  var secondDescriptor: Int32? { other?.descriptor }

  /// The socket of the other family.
  private final class Other {
    private let socket: UDPSocket
    /// Both, for who waits.
    private let both: Epoll
    let descriptor: Int32
    let bothDescriptor: Int32

    init(_ socket: consuming UDPSocket, _ both: consuming Epoll) {
      descriptor = socket.number
      bothDescriptor = both.fileDescriptor
      self.socket = socket
      self.both = both
    }
  }

  /// - Parameters:
  ///   - addresses: the first one of each family is taken; one that this machine does not have is skipped where the other
  ///     can be had.
  ///   - prepare: sets a socket's options before it is bound.
  static func open(
    at addresses: [SocketAddress], interface: String? = nil,
    prepare: (borrowing UDPSocket, SocketAddress.Family) -> Void
  ) throws(SystemCallError) -> ListeningSockets {
    guard let address = addresses.first else {
      throw SystemCallError("bind", on: "no address", .addressNotAvailable)
    }
    let other = addresses.first { $0.family != address.family }
    do throws(SystemCallError) {
      let first = try open(address, interface, prepare)
      guard let other else { return ListeningSockets(first) }
      do throws(SystemCallError) {
        let second = try open(other, interface, prepare)
        let both = try Epoll(capacity: 2)
        try both.add(first.number, .readable, token: 0)
        try both.add(second.number, .readable, token: 1)
        return ListeningSockets(first, second, both)
      } catch {
        guard error.errno == .addressNotAvailable else { throw error }
        return ListeningSockets(first)
      }
    } catch {
      guard error.errno == .addressNotAvailable, let other else { throw error }
      return ListeningSockets(try open(other, interface, prepare))
    }
  }

  private static func open(
    _ address: SocketAddress, _ interface: String?, _ prepare: (borrowing UDPSocket, SocketAddress.Family) -> Void
  ) throws(SystemCallError) -> UDPSocket {
    let socket = try UDPSocket(address.family, name: address.description)
    prepare(socket, address.family)
    try socket.listen(at: address, interface: interface)
    return socket
  }

  init(_ first: consuming UDPSocket) {
    self.first = first
    other = nil
  }

  private init(_ first: consuming UDPSocket, _ second: consuming UDPSocket, _ both: consuming Epoll) {
    self.first = first
    other = Other(second, both)
  }

  var localAddresses: [SocketAddress] {
    [first.localAddress] + (secondDescriptor.map { [UDPSocket.localAddress(of: $0)] } ?? [])
  }

  /// Sends one datagram over the socket of its destination's family.
  /// - Parameter local: this machine's address that it leaves from; nil: the routing table's.
  func send(_ bytes: UnsafeRawBufferPointer, to address: SocketAddress, from local: SocketAddress?) -> Errno? {
    // A socket of IPv6 sends to IPv4, too, where it is bound to all addresses.
    if let secondDescriptor, UDPSocket.localAddress(of: secondDescriptor).family == address.family {
      return UDPSocket.send(bytes, to: address, from: local, over: secondDescriptor)
    }
    return first.send(bytes, to: address, from: local)
  }
}
