import LinuxIO
import RTPCore

extension TransportAddress {
  init(_ address: SocketAddress) { self.init(host: address.mappedHost, port: address.port) }

  /// For people.
  var text: String { SocketAddress(mappedHost: host, port: port).description }
}
