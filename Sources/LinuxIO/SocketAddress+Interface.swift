import CLinux
import Glibc

extension SocketAddress {
  /// The index of the interface that a link-local IPv6 address belongs to (sin6_scope_id); nil: it names none.
  public var interfaceIndex: UInt32? {
    guard family == .ipv6 else { return nil }
    let index = withIPv6 { $0.sin6_scope_id }
    return index == 0 ? nil : index
  }

  /// The same address on another interface; an IPv4 address has none.
  public func with(interfaceIndex: UInt32) -> SocketAddress {
    guard family == .ipv6 else { return self }
    var address = withIPv6 { $0 }
    address.sin6_scope_id = interfaceIndex
    return SocketAddress(storage: address, length: length)
  }

  /// 169.254.0.0/16 (RFC 3927): an address that a host gives itself until there is a better one.
  public var isProvisional: Bool {
    family == .ipv4 && withIPv4 { UInt32(bigEndian: $0.sin_addr.s_addr) >> 16 == 0xA9FE }
  }

  /// Whether both are one host, whatever their ports and interfaces.
  public func isSameHost(as other: SocketAddress) -> Bool { mappedHost == other.mappedHost }

  /// An address as the kernel has it in messages: 4 or 16 bytes; nil: they are not of that family.
  init?(bytes: [UInt8], family: Int32) {
    let isIPv4 = family == AF_INET
    guard isIPv4 ? bytes.count == 4 : family == AF_INET6 && bytes.count == 16 else { return nil }
    self = .any(isIPv4 ? .ipv4 : .ipv6, port: 0)
    // Where sockaddr_in and sockaddr_in6 have it.
    let offset = isIPv4 ? 4 : 8
    withUnsafeMutableBytes(of: &storage) {
      UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + bytes.count]).copyBytes(from: bytes)
    }
  }

  /// Whether a host is written as an address, which needs no look-up. Its interface need not exist.
  public static func isAddress(_ host: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, host, &address) == 1
      || inet_pton(AF_INET6, String(host.prefix { $0 != "%" }), &address) == 1
  }
}
