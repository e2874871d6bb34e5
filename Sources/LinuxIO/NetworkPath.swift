/// What a socket sends through: changes of these concern it.
public struct NetworkPath: Equatable, Sendable {
  /// This machine's address that its packets leave from; nil: it is not connected, since there is no path.
  public let source: SocketAddress?
  /// The interface that it is bound to, by name and by its index of then; nil: the routing table's.
  public let interface: String?
  public let interfaceIndex: UInt32?
  public let isMulticast: Bool

  public init(
    source: SocketAddress?, interface: String? = nil, interfaceIndex: UInt32? = nil, isMulticast: Bool = false
  ) {
    self.source = source
    self.interface = interface
    self.interfaceIndex = interfaceIndex
    self.isMulticast = isMulticast
  }
}
