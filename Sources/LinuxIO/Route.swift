import Glibc

/// How packets of a destination travel.
public struct Route: Equatable, Sendable {
  /// The most routers that packets to a group may pass.
  public var timeToLive = 1
  /// DSCP (RFC 2474), 0 to 63; nil: as the system has it.
  public var serviceClass: Int?
  /// The network interface that they leave by; nil: by the routing table.
  public var interface: String?

  public init() {}

  /// Whether this machine has an interface of this name.
  public static func hasInterface(_ name: String) -> Bool { if_nametoindex(name) != 0 }

  /// Sets it, before the socket is connected: that chooses the address to send from.
  func apply(to socket: borrowing UDPSocket, _ destination: SocketAddress) throws(SystemCallError) {
    if destination.isMulticast { socket.setTimeToLive(timeToLive, destination.family) }
    if let serviceClass { socket.setServiceClass(serviceClass, destination.family) }
    if let interface, let errno = socket.setInterface(interface, destination) {
      throw SystemCallError("sending by \(interface)", on: destination.description, errno)
    }
  }
}
