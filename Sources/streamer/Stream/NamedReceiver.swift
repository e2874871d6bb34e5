import LinuxIO

/// A receiver by the name that the user gave, with all addresses that the name has.
struct NamedReceiver: Sendable {
  let host: String
  /// The address that is tried first; nil: the name is not found yet.
  let first: SocketAddress?
  /// Those that are tried after it. Most receivers have none, and take no memory for an array.
  private let others: [SocketAddress]

  /// - Parameter addresses: in the order in which they are tried.
  init(host: String, addresses: [SocketAddress]) {
    self.host = host
    first = addresses.first
    others = Array(addresses.dropFirst())
  }

  /// In the order in which they are tried.
  var addresses: [SocketAddress] { first.map { [$0] + others } ?? [] }

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

  /// This machine itself says that it has no path: a socket that connects has one.
  var isOfThisMachine: Bool {
    [.networkUnreachable, .networkDown, .addressNotAvailable, .noDevice, .invalidArgument, .accessDenied].contains(self)
  }
}
