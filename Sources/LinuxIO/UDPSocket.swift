import CLinux
import Glibc

/// A non-blocking UDP socket.
struct UDPSocket: ~Copyable {
  let descriptor: FileDescriptor

  /// - Parameter name: whom it is for, for errors.
  init(_ family: SocketAddress.Family, name: String) throws(SystemCallError) {
    let domain = family == .ipv4 ? AF_INET : AF_INET6
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    // Swift 6.0 crashes on an initializer of a ~Copyable type that throws when a part of it is set.
    let number = try checked("socket", on: name) { socket(domain, kind, 0) }
    descriptor = FileDescriptor(owning: number)
  }

  /// Takes over a socket.
  init(owning number: Int32) { descriptor = FileDescriptor(owning: number) }

  var number: Int32 { descriptor.number }

  func connect(to address: SocketAddress) -> Errno? {
    retrying { address.withSockaddr { Glibc.connect(number, $0, address.length) } }.errno
  }

  /// Dissolves a connection, also where there is none: with it go its source address, its route, and the interface that the
  /// socket was bound to. A port that was bound by number stays.
  func disconnect() {
    var none = sockaddr()
    none.sa_family = sa_family_t(AF_UNSPEC)
    withUnsafePointer(to: none) {
      _ = Glibc.connect(number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), socklen_t(MemoryLayout<sockaddr>.size))
    }
  }

  func bind(to address: SocketAddress) throws(SystemCallError) {
    if let errno = bindErrno(to: address) { throw SystemCallError("bind", on: address.description, errno) }
  }

  func bindErrno(to address: SocketAddress) -> Errno? {
    retrying { address.withSockaddr { Glibc.bind(number, $0, address.length) } }.errno
  }

  /// Binds to an address of this machine, or joins the multicast group that it is: several programs can be in one.
  /// - Parameter interface: that a group is joined on; nil: the routing table's.
  func listen(at address: SocketAddress, interface: String? = nil) throws(SystemCallError) {
    guard address.isMulticast else { return try bind(to: address) }
    try bind(toGroup: address)
    if let errno = join(address, interface: interface) {
      throw SystemCallError(
        "joining the multicast group", on: address.description, errno,
        remedy: "is there a network interface with a route for it? (ip route)")
    }
  }

  /// Binds to a multicast group's address, beside other programs.
  func bind(toGroup address: SocketAddress) throws(SystemCallError) {
    _ = set(SOL_SOCKET, SO_REUSEADDR, Int32(1))
    try bind(to: address)
  }

  /// Joins a multicast group (ip(7), ipv6(7)).
  /// - Parameter interface: that it is joined on; nil: the routing table's.
  /// - Returns: why it can't be: ENODEV without a route.
  func join(_ address: SocketAddress, interface: String?) -> Errno? {
    guard let interface else { return join(address, onInterface: 0) }
    return NetworkInterface.index(of: interface).map { join(address, onInterface: $0) } ?? .noDevice
  }

  /// - Parameter index: 0: the routing table's.
  func join(_ address: SocketAddress, onInterface index: UInt32) -> Errno? {
    setMembership(address, onInterface: index, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP)
  }

  /// - Parameter index: the interface that it was joined on.
  func leave(_ address: SocketAddress, onInterface index: UInt32) {
    _ = setMembership(address, onInterface: index, IP_DROP_MEMBERSHIP, IPV6_LEAVE_GROUP)
  }

  private func setMembership(
    _ address: SocketAddress, onInterface index: UInt32, _ ipv4: Int32, _ ipv6: Int32
  ) -> Errno? {
    switch address.family {
    case .ipv4:
      return set(
        Int32(IPPROTO_IP), ipv4,
        ip_mreqn(
          imr_multiaddr: address.withIPv4 { $0.sin_addr }, imr_address: in_addr(),
          imr_ifindex: Int32(bitPattern: index)))
    case .ipv6:
      return set(
        Int32(IPPROTO_IPV6), ipv6,
        ipv6_mreq(
          ipv6mr_multiaddr: address.withIPv6 { $0.sin6_addr },
          ipv6mr_interface: index > 0 ? index : address.interfaceIndex ?? 0))
    }
  }

  /// A broadcast address is refused (EACCES) without it; for others it changes nothing.
  func allowBroadcast() { _ = set(SOL_SOCKET, SO_BROADCAST, Int32(1)) }

  /// The most routers that packets to a group may pass.
  func setTimeToLive(_ hops: Int, _ family: SocketAddress.Family) {
    switch family {
    case .ipv4: _ = set(Int32(IPPROTO_IP), IP_MULTICAST_TTL, Int32(hops))
    case .ipv6: _ = set(Int32(IPPROTO_IPV6), IPV6_MULTICAST_HOPS, Int32(hops))
    }
  }

  /// Sets DF, and has the kernel refuse what is larger than the path's MTU.
  func forbidFragments(_ family: SocketAddress.Family) {
    switch family {
    case .ipv4: _ = set(Int32(IPPROTO_IP), IP_MTU_DISCOVER, Int32(IP_PMTUDISC_DO))
    case .ipv6: _ = set(Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER, Int32(IPV6_PMTUDISC_DO))
    }
  }

  /// Has the kernel report that a host or a router refuses packets, or that no host answers (ARP, neighbour discovery):
  /// without it, a connected socket learns of refused ports only (IP_RECVERR in ip(7)). See `clearErrors`.
  func reportErrors(_ family: SocketAddress.Family) {
    switch family {
    case .ipv4: _ = set(Int32(IPPROTO_IP), IP_RECVERR, Int32(1))
    case .ipv6: _ = set(Int32(IPPROTO_IPV6), IPV6_RECVERR, Int32(1))
    }
  }

  /// Discards what the error queue holds: its packets take the socket's memory, and epoll reports it as long as it has one.
  /// The newest error of it was given to a call already, or is given by SO_ERROR.
  func clearErrors() {
    var message = msghdr()
    // More than the socket's buffer holds.
    for _ in 0..<4096 where recvmsg(number, &message, Int32(MSG_ERRQUEUE) | Int32(MSG_DONTWAIT)) < 0 { return }
  }

  /// Of a connected socket: the path's MTU, without the headers of IP and UDP.
  func largestPacket(_ family: SocketAddress.Family) -> Int? {
    switch family {
    case .ipv4: get(Int32(IPPROTO_IP), IP_MTU).map { min(65_507, Int($0) - 28) }
    case .ipv6: get(Int32(IPPROTO_IPV6), IPV6_MTU).map { min(65_507, Int($0) - 48) }
    }
  }

  /// Bytes of the kernel's accounting that wait to be sent.
  var unsent: Int {
    var bytes: Int32 = 0
    return descriptor.control(UInt(TIOCOUTQ), &bytes) == nil ? Int(bytes) : 0
  }

  /// The class of service that routers and Wi-Fi see (DSCP, RFC 2474), and the queue of this machine's device.
  func setServiceClass(_ class: Int, _ family: SocketAddress.Family) {
    switch family {
    case .ipv4: _ = set(Int32(IPPROTO_IP), IP_TOS, Int32(`class` << 2))
    case .ipv6: _ = set(Int32(IPPROTO_IPV6), IPV6_TCLASS, Int32(`class` << 2))
    }
    // Over 6 needs CAP_NET_ADMIN.
    _ = set(SOL_SOCKET, SO_PRIORITY, Int32(min(6, `class` >> 3)))
  }

  /// The network interface that packets leave by.
  func setInterface(_ name: String, _ destination: SocketAddress) -> Errno? {
    // With index 0 the routing table's interface would be taken in silence.
    guard let index = NetworkInterface.index(of: name).map({ Int32(bitPattern: $0) }) else { return .noDevice }
    if destination.isMulticast {
      switch destination.family {
      case .ipv4:
        return set(
          Int32(IPPROTO_IP), IP_MULTICAST_IF,
          ip_mreqn(imr_multiaddr: in_addr(), imr_address: in_addr(), imr_ifindex: index))
      case .ipv6: return set(Int32(IPPROTO_IPV6), IPV6_MULTICAST_IF, index)
      }
    }
    let bytes = Array(name.utf8)
    return retrying { setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, bytes, socklen_t(bytes.count)) }.errno
  }

  /// Sends one datagram.
  /// - Parameter local: this machine's address that it leaves from; nil: the routing table's.
  func send(
    _ bytes: UnsafeRawBufferPointer, to address: SocketAddress, from local: SocketAddress? = nil
  ) -> Errno? {
    Self.send(bytes, to: address, from: local, over: number)
  }

  /// Sends one datagram over a socket.
  static func send(
    _ bytes: UnsafeRawBufferPointer, to address: SocketAddress, from local: SocketAddress?, over fileDescriptor: Int32
  ) -> Errno? {
    if let local { return send(bytes, to: address, leaving: local, over: fileDescriptor) }
    return address.withSockaddr { destination in
      retrying {
        sendto(fileDescriptor, bytes.baseAddress, bytes.count, 0, destination, address.length)
      }
      .errno
    }
  }

  /// Sends one datagram from one of this machine's addresses.
  private static func send(
    _ bytes: UnsafeRawBufferPointer, to address: SocketAddress, leaving local: SocketAddress, over fileDescriptor: Int32
  ) -> Errno? {
    withUnsafeBytes(of: address.storage) { destination in
      withUnsafeBytes(of: local.storage) { source in
        retrying {
          clinux_send_from(
            fileDescriptor, bytes.baseAddress, bytes.count,
            destination.assumingMemoryBound(to: sockaddr.self).baseAddress,
            address.length, source.assumingMemoryBound(to: sockaddr.self).baseAddress)
        }
        .errno
      }
    }
  }

  /// Has the kernel tell with each datagram which address of this machine it came to.
  func tellLocalAddresses(_ family: SocketAddress.Family) {
    switch family {
    case .ipv4: _ = set(Int32(IPPROTO_IP), IP_PKTINFO, Int32(1))
    case .ipv6: _ = set(Int32(IPPROTO_IPV6), IPV6_RECVPKTINFO, Int32(1))
    }
  }

  var localAddress: SocketAddress { Self.localAddress(of: number) }

  static func localAddress(of fileDescriptor: Int32) -> SocketAddress {
    SocketAddress { address, length in _ = getsockname(fileDescriptor, address, length) }
  }

  func set<Value>(_ level: Int32, _ option: Int32, _ value: Value) -> Errno? {
    withUnsafePointer(to: value) { pointer in
      retrying { setsockopt(number, level, option, pointer, socklen_t(MemoryLayout<Value>.size)) }.errno
    }
  }

  func get(_ level: Int32, _ option: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(number, level, option, &value, &size) == 0 ? value : nil
  }

  /// Sizes a buffer of the socket. The forced option may pass net.core.rmem_max and wmem_max, and needs CAP_NET_ADMIN.
  func setBuffer(_ option: Int32, forced: Int32, bytes: Int) {
    let value = Int32(clamping: bytes)
    if set(SOL_SOCKET, forced, value) != nil { _ = set(SOL_SOCKET, option, value) }
  }
}
