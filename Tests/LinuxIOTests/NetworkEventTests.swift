import CLinux
import Glibc
import Testing

@testable import LinuxIO

@Suite struct NetworkEventTests {
  private func bytes<Value>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  private func attribute(_ type: Int, _ value: [UInt8]) -> [UInt8] {
    bytes(UInt16(4 + value.count)) + bytes(UInt16(type)) + value + [UInt8](repeating: 0, count: -value.count & 3)
  }

  private func message(_ type: Int, _ body: [UInt8]) -> [UInt8] {
    bytes(
      nlmsghdr(nlmsg_len: UInt32(16 + body.count), nlmsg_type: UInt16(type), nlmsg_flags: 0, nlmsg_seq: 0, nlmsg_pid: 0)
    )
      + body
  }

  private func address(
    _ type: Int, _ family: Int32, _ attributes: [UInt8], flags: Int = 0, index: UInt32 = 3
  ) -> [UInt8] {
    message(
      type,
      bytes(
        ifaddrmsg(
          ifa_family: UInt8(family), ifa_prefixlen: 24, ifa_flags: UInt8(flags & 0xFF), ifa_scope: 0, ifa_index: index))
        + attributes)
  }

  private func link(
    _ type: Int, _ name: String?, flags: UInt32 = 0, change: UInt32 = 1, family: Int32 = AF_UNSPEC, index: Int32 = 7
  ) -> [UInt8] {
    var header = ifinfomsg()
    header.ifi_family = UInt8(family)
    header.ifi_index = index
    header.ifi_flags = flags
    header.ifi_change = change
    return message(type, bytes(header) + (name.map { attribute(Int(IFLA_IFNAME), Array($0.utf8) + [0]) } ?? []))
  }

  private func route(_ type: Int, flags: Int = 0) -> [UInt8] {
    var header = rtmsg()
    header.rtm_flags = UInt32(flags)
    return message(type, bytes(header))
  }

  private let four: [UInt8] = [192, 0, 2, 7]
  private let six: [UInt8] = [0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]
  private let new = Int(RTM_NEWADDR)
  private let gone = Int(RTM_DELADDR)

  @Test func readsAddresses() throws {
    let place = try SocketAddress(host: "192.0.2.7", port: 0)
    let local = attribute(Int(IFA_LOCAL), four)
    // Of a point-to-point link the other attribute is the peer's.
    let pair = attribute(Int(IFA_ADDRESS), [192, 0, 2, 8]) + local
    #expect(
      NetworkEvent.parse(address(new, AF_INET, pair)[...])
        == [.addressAdded(place, interface: 3, state: .usable)])
    #expect(
      NetworkEvent.parse(address(gone, AF_INET, local)[...]) == [.addressRemoved(place, interface: 3)])
  }

  @Test(arguments: [
    (Int(IFA_F_TENTATIVE), NetworkEvent.AddressState.tentative), (Int(IFA_F_DEPRECATED), .deprecated),
    (Int(IFA_F_PERMANENT), .usable), (Int(IFA_F_TENTATIVE | IFA_F_DADFAILED), .duplicate),
    (Int(IFA_F_TENTATIVE | IFA_F_OPTIMISTIC), .usable),
  ])
  func readsTheStateOfAnIPv6Address(flags: Int, state: NetworkEvent.AddressState) throws {
    let place = try SocketAddress(host: "2001:db8::7", port: 0)
    let value = attribute(Int(IFA_ADDRESS), six)
    #expect(
      NetworkEvent.parse(address(new, AF_INET6, value, flags: flags)[...])
        == [.addressAdded(place, interface: 3, state: state)])
    // The attribute has all 32 flags, and counts.
    let extended = value + attribute(Int(IFA_FLAGS), bytes(UInt32(flags)))
    #expect(
      NetworkEvent.parse(address(new, AF_INET6, extended)[...])
        == [.addressAdded(place, interface: 3, state: state)])
  }

  @Test func readsLinks() {
    let up = UInt32(IFF_UP | IFF_RUNNING)
    #expect(
      NetworkEvent.parse(link(Int(RTM_NEWLINK), "wlan0", flags: up)[...])
        == [.linkChanged(name: "wlan0", index: 7, isUp: true, isNew: false)])
    #expect(
      NetworkEvent.parse(link(Int(RTM_NEWLINK), "wg0", flags: UInt32(IFF_UP), change: .max)[...])
        == [.linkChanged(name: "wg0", index: 7, isUp: false, isNew: true)])
    #expect(NetworkEvent.parse(link(Int(RTM_DELLINK), "wg0")[...]) == [.linkRemoved(name: "wg0", index: 7)])
    // A bridge loses a port.
    #expect(NetworkEvent.parse(link(Int(RTM_DELLINK), "eth0", family: AF_BRIDGE)[...]).isEmpty)
    #expect(NetworkEvent.parse(link(Int(RTM_DELLINK), nil)[...]).isEmpty)
    #expect(NetworkEvent.parse(link(Int(RTM_DELLINK), "eth0", index: -1)[...]).isEmpty)
  }

  @Test func readsRoutes() {
    #expect(NetworkEvent.parse((route(Int(RTM_NEWROUTE)) + route(Int(RTM_DELROUTE)))[...]) == [.routesChanged])
    // A path MTU that the kernel learned.
    #expect(NetworkEvent.parse(route(Int(RTM_NEWROUTE), flags: Int(RTM_F_CLONED))[...]).isEmpty)
  }

  @Test func severalMessagesAreReadInTheirOrder() {
    let all =
      route(Int(RTM_NEWROUTE)) + link(Int(RTM_DELLINK), "a") + message(9999, [1, 2, 3, 4]) + route(Int(RTM_NEWROUTE))
    #expect(NetworkEvent.parse(all[...]) == [.routesChanged, .linkRemoved(name: "a", index: 7), .routesChanged])
  }

  /// Whatever is cut off or changed: no trap, and nothing is read beyond the end.
  @Test func whatIsMalformedIsSkipped() {
    let messages = [
      address(new, AF_INET, attribute(Int(IFA_LOCAL), four)), address(new, AF_INET6, attribute(Int(IFA_ADDRESS), six)),
      link(Int(RTM_NEWLINK), "wlan0"), route(Int(RTM_NEWROUTE)),
    ]
    for message in messages {
      for length in 0..<message.count { #expect(NetworkEvent.parse(message[..<length]).isEmpty) }
      for place in message.indices {
        for value: UInt8 in [0, 1, 3, 0x7F, 0x80, 0xFF] {
          var broken = message
          broken[place] = value
          #expect(NetworkEvent.parse(broken[...]).count <= 1)
        }
      }
    }
    // An address of a wrong length, a family that is unknown, and a message longer than the datagram.
    #expect(NetworkEvent.parse(address(new, AF_INET, attribute(Int(IFA_LOCAL), six))[...]).isEmpty)
    #expect(NetworkEvent.parse(address(new, AF_INET6, attribute(Int(IFA_LOCAL), four))[...]).isEmpty)
    #expect(NetworkEvent.parse(address(new, AF_PACKET, attribute(Int(IFA_LOCAL), four))[...]).isEmpty)
    #expect(
      NetworkEvent.parse(
        bytes(nlmsghdr(nlmsg_len: .max, nlmsg_type: 20, nlmsg_flags: 0, nlmsg_seq: 0, nlmsg_pid: 0))[...]
      ).isEmpty)
    #expect(NetworkEvent.parse(bytes(nlmsghdr())[...]).isEmpty)
  }

  /// Every user may listen; the loopback interface has its address already.
  @Test func nothingChangesByItself() throws {
    var monitor = try NetworkMonitor()
    #expect(monitor.fileDescriptor > 0)
    _ = monitor.events()
  }
}

@Suite struct NetworkInterfaceTests {
  @Test func hasAnIndexAndAName() {
    #expect(NetworkInterface.index(of: "lo").flatMap(NetworkInterface.name) == "lo")
    #expect(NetworkInterface.index(of: "no0") == nil && NetworkInterface.name(of: .max) == nil)
    #expect(NetworkInterface.isName("wg0") && NetworkInterface.isName("enx001122334455"))
    for text in ["", ".", "..", "a/b", "a b", "a:1", "sixteen-bytes-xx"] { #expect(!NetworkInterface.isName(text)) }
  }
}

@Suite struct NameResolverTests {
  private func answer(_ host: String) throws -> NameResolver.Answer? {
    let resolver = try NameResolver()
    let epoll = try Epoll()
    try epoll.add(resolver.fileDescriptor, .readable, token: 0)
    try resolver.resolve(host)
    guard epoll.wait(milliseconds: 20_000) > 0 else { return nil }
    return resolver.answers().first
  }

  @Test func givesAddressesAndReasons() throws {
    let found = try #require(try answer("127.0.0.1"))
    #expect(try found.host == "127.0.0.1" && found.addresses.get() == [SocketAddress(host: "127.0.0.1", port: 0)])
    let missing = try #require(try answer("no such host"))
    guard case .failure(let error) = missing.addresses else {
      Issue.record("found")
      return
    }
    #expect(error.host == "no such host" && !error.reason.isEmpty)
  }
}
