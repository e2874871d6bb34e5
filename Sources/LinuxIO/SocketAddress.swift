import CLinux
import Glibc

/// An IPv4 or IPv6 address with a port.
public struct SocketAddress: Sendable, Equatable, CustomStringConvertible {
  public enum Family: Sendable { case ipv4, ipv6 }

  /// Of either family: the larger one's holds both, in a quarter of what sockaddr_storage takes.
  var storage: sockaddr_in6
  let length: socklen_t

  init(storage: sockaddr_in6, length: socklen_t) {
    self.storage = storage
    self.length = length
  }

  /// Looks up a host: the first of its addresses. See `all(host:port:passive:)`.
  public init(host: String, port: UInt16, passive: Bool = false) throws(AddressError) {
    guard let first = try Self.all(host: host, port: port, passive: passive).first else {
      throw AddressError(host: host, reason: "it has no address")
    }
    self = first
  }

  /// Looks up all addresses of a host, each once, in the order in which they are to be tried (RFC 6724). Those of a family
  /// that this machine's kernel does not have are skipped if there are others.
  /// - Parameters:
  ///   - host: a name, an IPv4 address, or an IPv6 address without brackets (a `%scope` may follow).
  ///   - passive: for a receiver: an empty host is every address of this machine.
  /// - Throws: `AddressError` with the resolver's own words, or with the interface that is not there.
  public static func all(host: String, port: UInt16, passive: Bool = false) throws(AddressError) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    hints.ai_flags = passive ? AI_PASSIVE : 0
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host.isEmpty ? nil : host, "\(port)", &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard status == 0 else {
      let zone = host.split(separator: "%").dropFirst().first.flatMap { isAddress(host) ? $0 : nil }
      // Of an address only the interface can be missing.
      throw AddressError(
        host: host, reason: zone.map { "there is no interface '\($0)'" } ?? String(cString: gai_strerror(status)))
    }
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ai_next
      guard let address = entry.ai_addr, [AF_INET, AF_INET6].contains(entry.ai_family) else { continue }
      let found = SocketAddress(copying: address, length: entry.ai_addrlen)
      if !addresses.contains(found) { addresses.append(found) }
    }
    let usable = addresses.filter { (try? UDPSocket($0.family, name: host)) != nil }
    return usable.isEmpty ? addresses : usable
  }

  private init(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
    storage = sockaddr_in6()
    self.length = length
    withUnsafeMutableBytes(of: &storage) {
      $0.copyMemory(from: .init(start: address, count: min($0.count, Int(length))))
    }
  }

  /// - Parameter mappedHost: see `mappedHost`.
  public init(mappedHost: SIMD2<UInt64>, port: UInt16) {
    let isIPv4 = mappedHost[0] == 0 && mappedHost[1] >> 32 == 0xFFFF
    self = .any(isIPv4 ? .ipv4 : .ipv6, port: port)
    withUnsafeMutableBytes(of: &storage) { bytes in
      if isIPv4 {
        bytes.storeBytes(of: UInt32(truncatingIfNeeded: mappedHost[1]).bigEndian, toByteOffset: 4, as: UInt32.self)
      } else {
        bytes.storeBytes(of: mappedHost[0].bigEndian, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: mappedHost[1].bigEndian, toByteOffset: 16, as: UInt64.self)
      }
    }
  }

  /// The IPv6 address, or the IPv4 address mapped to one (RFC 4291, 2.5.5.2), as two halves; the first byte is the highest.
  public var mappedHost: SIMD2<UInt64> {
    switch family {
    case .ipv4: SIMD2(0, 0xFFFF << 32 | UInt64(UInt32(bigEndian: withIPv4 { $0.sin_addr.s_addr })))
    case .ipv6:
      withUnsafeBytes(of: withIPv6 { $0.sin6_addr }) { bytes in
        SIMD2(
          UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
          UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
      }
    }
  }

  /// Reads an address that a call such as getsockname writes.
  init(filledBy fill: (__SOCKADDR_ARG, UnsafeMutablePointer<socklen_t>) -> Void) {
    var storage = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    withUnsafeMutableBytes(of: &storage) { bytes in
      fill(__SOCKADDR_ARG(__sockaddr__: bytes.assumingMemoryBound(to: sockaddr.self).baseAddress), &length)
    }
    self.storage = storage
    self.length = length
  }

  public var family: Family { Int32(storage.sin6_family) == AF_INET6 ? .ipv6 : .ipv4 }

  /// The first byte of the address says whether it is multicast: 224.0.0.0/4, ff00::/8.
  public var isMulticast: Bool {
    switch family {
    case .ipv4: withIPv4 { UInt32(bigEndian: $0.sin_addr.s_addr) >> 28 == 0xE }
    case .ipv6: withUnsafeBytes(of: withIPv6 { $0.sin6_addr }) { $0[0] == 0xFF }
    }
  }

  /// 0.0.0.0, ::, also as an IPv4 address mapped to IPv6.
  public var isUnspecified: Bool { mappedHost == SIMD2(0, 0) || mappedHost == SIMD2(0, 0xFFFF << 32) }

  /// fe80::/10, or a group of link or interface scope (ff02::/16 and ff01::/16 with any flags; RFC 4291, 2.7), without the
  /// interface that it belongs to: neither `bind` nor `connect` takes it (EINVAL).
  public var needsInterface: Bool {
    guard family == .ipv6, interfaceIndex == nil else { return false }
    let first = mappedHost[0] >> 48
    return first >> 6 == 0xFE80 >> 6 || first >> 8 == 0xFF && (1...2).contains(first & 0xF)
  }

  /// Whether packets for both arrive at one place: an IPv4 address may be mapped to IPv6.
  public func isSameReceiver(as other: SocketAddress) -> Bool {
    self == other || family != other.family && mappedHost == other.mappedHost && port == other.port
  }

  /// 127.0.0.0/8, ::1.
  public var isLoopback: Bool {
    switch family {
    case .ipv4: withIPv4 { UInt32(bigEndian: $0.sin_addr.s_addr) >> 24 == 127 }
    case .ipv6:
      withUnsafeBytes(of: withIPv6 { $0.sin6_addr }) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
    }
  }

  public var port: UInt16 {
    switch family {
    case .ipv4: UInt16(bigEndian: withIPv4 { $0.sin_port })
    case .ipv6: UInt16(bigEndian: withIPv6 { $0.sin6_port })
    }
  }

  public static func == (one: SocketAddress, other: SocketAddress) -> Bool {
    guard one.length == other.length else { return false }
    return withUnsafeBytes(of: one.storage) { left in
      withUnsafeBytes(of: other.storage) { $0.prefix(Int(one.length)).elementsEqual(left.prefix(Int(one.length))) }
    }
  }

  /// The same host with another port.
  public func with(port: UInt16) -> SocketAddress {
    var copy = self
    // Both families have it in the third and fourth byte.
    withUnsafeMutableBytes(of: &copy.storage) { $0.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self) }
    return copy
  }

  /// Every address of this machine.
  public static func any(_ family: Family, port: UInt16) -> SocketAddress {
    var storage = sockaddr_in6()
    storage.sin6_family = sa_family_t(family == .ipv4 ? AF_INET : AF_INET6)
    let length = family == .ipv4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
    return SocketAddress(storage: storage, length: socklen_t(length)).with(port: port)
  }

  /// Whether it is one of this machine's own addresses: those are the ones that a socket can be bound to.
  public var isOfThisMachine: Bool {
    guard let socket = try? UDPSocket(family, name: description) else { return false }
    return (try? socket.bind(to: with(port: 0))) != nil
  }

  /// Where answers to packets for this address come from: of 0.0.0.0 and ::, this machine; nil: from several hosts, since
  /// it is a multicast or a broadcast address.
  public var peer: SocketAddress? {
    guard !isMulticast else { return nil }
    guard let socket = try? UDPSocket(family, name: description) else { return self }
    switch socket.connect(to: self) {
    case nil: return SocketAddress { address, length in _ = getpeername(socket.number, address, length) }
    case .accessDenied: return nil
    default: return self
    }
  }

  /// The address alone, in figures, without a scope.
  public var host: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let size = socklen_t(text.count)
    switch family {
    case .ipv4:
      var address = withIPv4 { $0.sin_addr }
      inet_ntop(AF_INET, &address, &text, size)
    case .ipv6:
      var address = withIPv6 { $0.sin6_addr }
      inet_ntop(AF_INET6, &address, &text, size)
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  public var description: String { family == .ipv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

  func withIPv4<Result>(_ body: (sockaddr_in) -> Result) -> Result {
    withUnsafeBytes(of: storage) { body($0.loadUnaligned(as: sockaddr_in.self)) }
  }

  func withIPv6<Result>(_ body: (sockaddr_in6) -> Result) -> Result {
    withUnsafeBytes(of: storage) { body($0.loadUnaligned(as: sockaddr_in6.self)) }
  }

  func withSockaddr<Result>(_ body: (__CONST_SOCKADDR_ARG) -> Result) -> Result {
    withUnsafeBytes(of: storage) {
      body(__CONST_SOCKADDR_ARG(__sockaddr__: $0.assumingMemoryBound(to: sockaddr.self).baseAddress))
    }
  }
}

/// A host that can't be found.
public struct AddressError: Error, CustomStringConvertible {
  public let host: String
  public let reason: String

  public init(host: String, reason: String) {
    self.host = host
    self.reason = reason
  }

  public var description: String { "can't find the host '\(host.contains(":") ? "[\(host)]" : host)': \(reason)" }
}
