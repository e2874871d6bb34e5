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

  /// Sets what a socket keeps, however often it connects; the interface is set by `Connection`.
  func apply(to socket: borrowing UDPSocket, _ destination: SocketAddress) {
    if destination.isMulticast { socket.setTimeToLive(timeToLive, destination.family) }
    if let serviceClass { socket.setServiceClass(serviceClass, destination.family) }
  }
}
