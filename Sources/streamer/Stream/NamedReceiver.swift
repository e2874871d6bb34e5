import LinuxIO

/// A receiver by the name that the user gave, with all addresses that the name has.
struct NamedReceiver: Sendable {
  let host: String
  /// In the order in which they are tried.
  let addresses: [SocketAddress]

  /// One of its addresses for people, such as `[::1]:5000 (localhost)`.
  func text(_ address: SocketAddress) -> String {
    address.host == host ? address.description : "\(address) (\(host))"
  }
}

extension Errno {
  /// Another address of the same host may do better.
  var isOfAddress: Bool {
    [.connectionRefused, .hostUnreachable, .networkUnreachable, .addressNotAvailable].contains(self)
  }
}
