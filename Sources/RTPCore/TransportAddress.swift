/// The address that a packet came from: IP address and port.
public struct TransportAddress: Equatable, Sendable {
  /// An IPv6 address, or an IPv4 address mapped to one (RFC 4291, 2.5.5.2); the first byte is the highest.
  public let host: SIMD2<UInt64>
  public let port: UInt16

  /// The default is no address: of packets that all come from one sender.
  public init(host: SIMD2<UInt64> = .zero, port: UInt16 = 0) {
    self.host = host
    self.port = port
  }
}
