import Glibc
import LinuxIO

/// A host and a port as the user names them.
struct Endpoint: Equatable, Sendable, CustomStringConvertible {
  var host: String
  var port: UInt16

  /// As it is read.
  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  func with(port: UInt16) -> Endpoint {
    var other = self
    other.port = port
    return other
  }

  /// From `HOST:PORT`, `[IPV6]:PORT`, and for a receiver from a port alone.
  /// - Parameter hints: the error says what to write in place of the text.
  init(_ text: String, needsHost: Bool, hints: Bool = true) throws(UsageError) {
    func bad(_ reason: String) -> UsageError {
      let hint = hints ? NearMiss.endpoint(text, needsHost: needsHost) : nil
      return UsageError(
        "'\(text)': \(reason); \(hint ?? "expected \(needsHost ? "" : "PORT, ")HOST:PORT or [IPV6]:PORT")")
    }
    if text.contains("://") { throw bad("it is a URL") }
    if text.contains("/") || text.contains("@") { throw bad("it is more than a host and a port") }
    let colon = text.lastIndex(of: ":")
    var host = colon.map { String(text[..<$0]) } ?? ""
    let portText = colon.map { String(text[text.index(after: $0)...]) } ?? text
    if text.contains(where: { ",; ".contains($0) }) { throw bad("it is more than one word") }
    if colon == nil && needsHost || text.hasSuffix("]") { throw bad("it has no port") }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      throw bad("an IPv6 address stands in brackets")
    }
    if Self.isIPv6(host), let code = host.firstRange(of: "%25"), host[code.upperBound...].first?.isLetter == true {
      throw bad("'%25' stands for '%' in URLs only")
    }
    if let zone = host.firstIndex(of: "%"), Self.isIPv6(host), !Self.takesInterfaceName(host),
      UInt32(host[host.index(after: zone)...]) == nil
    {
      throw UsageError(
        "'\(text)': only link-local addresses and groups have an interface's name after '%'; write"
          + " \(needsHost ? "--to " : "")[\(host[..<zone])]:\(portText)")
    }
    if host.contains("[") || host.contains("]") { throw bad("its brackets do not match") }
    if host.isEmpty, needsHost { throw bad("it has no host") }
    if host == "*", needsHost { throw Self.unspecified(text, port: portText) }
    guard let port = Self.port(portText) else { throw bad("'\(portText)' is no port from 1 to 65535") }
    self.host = host
    self.port = port
  }

  /// nil for a text that is no port.
  static func port(_ text: String) -> UInt16? { UInt16(text).flatMap { $0 > 0 ? $0 : nil } }

  /// An address without brackets and port.
  static func isIPv6(_ text: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &address) == 1
  }

  /// Whether an interface's name may stand after the '%' of an IPv6 address without brackets: fe80::/10 and ff02::/16, with
  /// any flags. All others take an index alone (getaddrinfo(3)).
  static func takesInterfaceName(_ text: String) -> Bool {
    var address = in6_addr()
    guard inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &address) == 1 else { return false }
    return withUnsafeBytes(of: address) { $0[0] == 0xFE && $0[1] >> 6 == 2 || $0[0] == 0xFF && $0[1] & 0xF == 2 }
  }

  /// Every address of this machine is named, where one receiver's must be.
  static func unspecified(_ text: String, port: String) -> UsageError {
    UsageError("'\(text)': that is no receiver's address; for this machine write --to 127.0.0.1:\(port)")
  }

  /// Where camera `index` goes, by all addresses of the host: RTP's and RTCP's ports of the cameras before come first.
  func addresses(forCamera index: Int, of host: [SocketAddress]) -> [SocketAddress] {
    host.map { $0.with(port: port + 2 * UInt16(index)) }
  }

  /// Refuses a link-local address, or a group of such, without its interface, which may be another one of the host's.
  /// - Parameter option: for the error: what stands before it.
  func checkInterface(of addresses: [SocketAddress], option: String) throws(UsageError) {
    guard let address = addresses.first(where: \.needsInterface) else { return }
    // Names of interfaces are looked up for addresses of link scope alone; the loopback interface has the index 1.
    let interface = Self.takesInterfaceName(address.host) ? "eth0" : "1"
    throw UsageError(
      "\(option)\(self): a link-local \(address.isMulticast ? "group" : "address") needs its interface: write"
        + " \(option)[\(address.host)%\(interface)]:\(port) ('ip link' shows them)")
  }

  /// All addresses of its host, with port 0. The look-up can take as long as name servers let it wait.
  func lookUp() throws -> [SocketAddress] {
    let addresses: [SocketAddress]
    do throws(AddressError) { addresses = try SocketAddress.all(host: host, port: 0) } catch {
      throw Failure("--to \(self): \(error)")
    }
    guard !addresses.isEmpty else { throw Failure("--to \(self): the host has no address") }
    return addresses
  }
}
