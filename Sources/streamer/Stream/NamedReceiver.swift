import LinuxIO

/// A receiver by the name that the user gave, with all addresses that the name has.
struct NamedReceiver: Sendable {
  let host: String
  /// The address that is tried first.
  let first: SocketAddress
  /// Those that are tried after it. Most receivers have none, and take no memory for an array.
  private let others: [SocketAddress]

  /// - Parameter addresses: in the order in which they are tried.
  /// - Returns: nil where there is none.
  init?(host: String, addresses: [SocketAddress]) {
    guard let first = addresses.first else { return nil }
    self.host = host
    self.first = first
    others = Array(addresses.dropFirst())
  }

  /// In the order in which they are tried.
  var addresses: [SocketAddress] { [first] + others }

  var hasOthers: Bool { !others.isEmpty }

  func has(_ address: SocketAddress) -> Bool { first == address || others.contains(address) }

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
