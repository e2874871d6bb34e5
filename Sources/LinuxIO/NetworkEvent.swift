import CLinux
import Glibc

/// A change of this machine's network, as the kernel announces it (rtnetlink(7)).
public enum NetworkEvent: Equatable, Sendable {
  /// An address was added, or its state changed; its port is 0. An IPv6 address is announced twice: while duplicate
  /// address detection runs, and when it may be used.
  case addressAdded(SocketAddress, interface: UInt32, state: AddressState)
  case addressRemoved(SocketAddress, interface: UInt32)
  /// An interface was added, or its state changed.
  case linkChanged(name: String, index: UInt32, isUp: Bool, isNew: Bool)
  case linkRemoved(name: String, index: UInt32)
  /// A route was added, changed or removed.
  case routesChanged
  /// The kernel had to drop announcements: everything may have changed.
  case eventsLost

  /// What an address can be used for.
  public enum AddressState: Equatable, Sendable {
    case usable
    /// Sockets may keep it, and are not to begin with it (RFC 4862, 5.5.4).
    case deprecated
    /// Duplicate address detection runs: sending from it fails.
    case tentative
    /// Another host has it.
    case duplicate
  }

  /// Parses one datagram of an rtnetlink socket. What is malformed or unknown is skipped.
  static func parse(_ bytes: ArraySlice<UInt8>) -> [NetworkEvent] {
    var events: [NetworkEvent] = []
    Netlink.forEachMessage(in: bytes) { type, body in
      guard let event = event(type, body) else { return }
      // A routing daemon changes thousands at once.
      if event == .routesChanged, events.last == .routesChanged { return }
      events.append(event)
    }
    return events
  }

  private static func event(_ type: UInt16, _ body: ArraySlice<UInt8>) -> NetworkEvent? {
    switch Int(type) {
    case Int(RTM_NEWADDR), Int(RTM_DELADDR): address(body, isAdded: Int(type) == Int(RTM_NEWADDR))
    case Int(RTM_NEWLINK), Int(RTM_DELLINK): link(body, isRemoved: Int(type) == Int(RTM_DELLINK))
    case Int(RTM_NEWROUTE), Int(RTM_DELROUTE): route(body)
    default: nil
    }
  }

  private static func address(_ body: ArraySlice<UInt8>, isAdded: Bool) -> NetworkEvent? {
    guard let (header, attributes) = Netlink.split(body, header: ifaddrmsg.self) else { return nil }
    // Of a point-to-point link IFA_ADDRESS is the peer's.
    let value =
      attributes.first { $0.type == Int32(IFA_LOCAL) }?.value
      ?? attributes.first { $0.type == Int32(IFA_ADDRESS) }?.value
    guard let value, let address = SocketAddress(bytes: value, family: Int32(header.ifa_family)) else { return nil }
    guard isAdded else { return .addressRemoved(address, interface: header.ifa_index) }
    let extended = attributes.first { $0.type == Int32(IFA_FLAGS) }.flatMap { Netlink.value(of: $0, as: UInt32.self) }
    return .addressAdded(
      address, interface: header.ifa_index, state: AddressState(flags: extended ?? UInt32(header.ifa_flags)))
  }

  private static func link(_ body: ArraySlice<UInt8>, isRemoved: Bool) -> NetworkEvent? {
    // The other families' messages are of bridge ports: one that leaves its bridge is no interface that is gone.
    guard let (header, attributes) = Netlink.split(body, header: ifinfomsg.self),
      header.ifi_family == UInt8(AF_UNSPEC), header.ifi_index > 0,
      let name = attributes.first(where: { $0.type == Int32(IFLA_IFNAME) })
    else { return nil }
    let text = String(decoding: name.value.prefix { $0 != 0 }, as: UTF8.self)
    let index = UInt32(header.ifi_index)
    if isRemoved { return .linkRemoved(name: text, index: index) }
    let required = UInt32(IFF_UP | IFF_RUNNING)
    return .linkChanged(
      name: text, index: index, isUp: header.ifi_flags & required == required, isNew: header.ifi_change == .max)
  }

  private static func route(_ body: ArraySlice<UInt8>) -> NetworkEvent? {
    guard let (header, _) = Netlink.split(body, header: rtmsg.self) else { return nil }
    // What the kernel notes down about one destination, such as its path MTU, is no route.
    return header.rtm_flags & UInt32(RTM_F_CLONED) == 0 ? .routesChanged : nil
  }
}

extension NetworkEvent.AddressState {
  fileprivate init(flags: UInt32) {
    self =
      if flags & UInt32(IFA_F_DADFAILED) != 0 {
        .duplicate
      } else if flags & UInt32(IFA_F_TENTATIVE) != 0, flags & UInt32(IFA_F_OPTIMISTIC) == 0 {
        .tentative
      } else if flags & UInt32(IFA_F_DEPRECATED) != 0 {
        .deprecated
      } else {
        .usable
      }
  }
}
