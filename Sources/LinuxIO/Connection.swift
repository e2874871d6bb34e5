import CLinux
import Glibc

/// Where a UDP socket sends, and how it gets there after each change of the network: interfaces are known by their names,
/// since one that is made again has another index.
struct Connection: Sendable {
  let destination: SocketAddress
  /// The interface that all packets leave by; nil: the routing table's, or that of a link-local address.
  private let boundInterface: String?
  /// The interface that a link-local address belongs to.
  private let zone: String?

  init(to destination: SocketAddress, by interface: String?) {
    self.destination = destination
    boundInterface = interface
    zone = destination.interfaceIndex.flatMap(NetworkInterface.name)
  }

  /// The interface that was asked for; nil: the routing table's.
  var interface: String? { boundInterface ?? zone }

  /// The destination with its interface's index of today; nil where there is no such interface.
  var currentDestination: SocketAddress? {
    guard let zone else { return destination }
    return NetworkInterface.index(of: zone).map { destination.with(interfaceIndex: $0) }
  }

  /// Undoes a former connection, and binds the socket to its interface. An address that it was bound to stays, and so does
  /// its port.
  func reset(_ socket: borrowing UDPSocket) -> Errno? {
    let port = socket.localAddress.port
    socket.disconnect()
    // Fails where the port was kept: a port that the kernel chose is lost by disconnecting, unless it was bound by number.
    if port != 0 { _ = socket.bindErrno(to: .any(destination.family, port: port)) }
    guard let boundInterface else { return nil }
    return socket.setInterface(boundInterface, destination)
  }

  /// Connects from scratch. A second `connect` alone would keep the source address, the interface and the dead route.
  func open(_ socket: borrowing UDPSocket) -> Errno? {
    if let errno = reset(socket) { return errno }
    guard let target = currentDestination else { return .noDevice }
    let errno = socket.connect(to: target)
    // What is pending belongs to the former connection.
    socket.clearErrors()
    _ = socket.get(SOL_SOCKET, SO_ERROR)
    return errno
  }

  /// Whether the network that is missing can come: without one, or with a route that forbids it, each send tries again.
  static func isPassing(_ errno: Errno) -> Bool {
    [
      .networkUnreachable, .hostUnreachable, .networkDown, .addressNotAvailable, .noDevice,
      // A blackhole and a prohibit route.
      .invalidArgument, .accessDenied,
    ].contains(errno)
  }
}
