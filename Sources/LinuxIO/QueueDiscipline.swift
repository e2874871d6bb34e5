import CLinux
import Glibc

/// The queue in which packets wait for a network device (tc(8)), on the way to one address. Some keep
/// packets until their time of departure (SO_TXTIME); which one it is, is asked of the kernel (rtnetlink(7): RTM_GETROUTE, RTM_GETQDISC).
public struct QueueDiscipline: Equatable, Sendable {
  /// The device.
  public let interface: String
  /// Such as `fq` or `fq_codel`; `mq` is one for each of the device's hardware queues, and then theirs.
  public let kind: String
  /// It keeps packets until their time: `fq`, where pacing is not turned off.
  public let isPacing: Bool

  /// - Parameter interface: that the packets leave by; nil: the routing table's.
  /// - Returns: nil where there is no way there, or the kernel does not tell.
  public init?(towards address: SocketAddress, by interface: String?) {
    let index = interface.map { Int32(bitPattern: if_nametoindex($0)) } ?? Self.outgoing(address)
    guard let index, index > 0, let name = NetworkInterface.name(of: UInt32(index)) else { return nil }
    let queues = Netlink.request(
      UInt16(RTM_GETQDISC), flags: UInt16(NLM_F_DUMP), Netlink.bytes(tcmsg()), attributes: [],
      header: MemoryLayout<tcmsg>.size
    ).compactMap { Queue($0) }.filter { $0.device == index }
    guard let root = queues.first(where: \.isRoot) else { return nil }
    let leaves = root.kind == "mq" ? queues.filter { $0.parent >> 16 == root.handle >> 16 } : [root]
    self.interface = name
    kind = leaves.first?.kind ?? root.kind
    isPacing = !leaves.isEmpty && leaves.allSatisfy { $0.kind == "fq" && $0.pacesFlows }
  }

  /// One queue of a device.
  private struct Queue {
    let device: Int32
    let handle: UInt32
    let parent: UInt32
    var isRoot: Bool { parent == .max }
    let kind: String
    let pacesFlows: Bool

    init?(_ message: Netlink.Message) {
      let header = message.header.withUnsafeBytes { $0.loadUnaligned(as: tcmsg.self) }
      guard let kind = message.attributes.first(where: { $0.type == TCA_KIND }) else { return nil }
      device = header.tcm_ifindex
      handle = header.tcm_handle
      parent = header.tcm_parent
      self.kind = String(decoding: kind.value.prefix { $0 != 0 }, as: UTF8.self)
      let options = message.attributes.first { $0.type == TCA_OPTIONS }.map { Netlink.attributes($0.value[...]) }
      let pacing = options?.first { $0.type == TCA_FQ_RATE_ENABLE }
      pacesFlows = pacing?.value.contains { $0 != 0 } ?? true
    }
  }

  /// The number of the device by which packets to an address leave.
  private static func outgoing(_ address: SocketAddress) -> Int32? {
    var route = rtmsg()
    route.rtm_family = UInt8(address.family == .ipv4 ? AF_INET : AF_INET6)
    var attributes: [Netlink.Attribute] = []
    switch address.family {
    case .ipv4:
      route.rtm_dst_len = 32
      attributes.append((Int32(RTA_DST.rawValue), Netlink.bytes(address.withIPv4 { $0.sin_addr })))
    case .ipv6:
      route.rtm_dst_len = 128
      attributes.append((Int32(RTA_DST.rawValue), Netlink.bytes(address.withIPv6 { $0.sin6_addr })))
      let scope = address.withIPv6 { $0.sin6_scope_id }
      if scope != 0 { attributes.append((Int32(RTA_OIF.rawValue), Netlink.bytes(scope))) }
    }
    let answer = Netlink.request(
      UInt16(RTM_GETROUTE), flags: 0, Netlink.bytes(route), attributes: attributes, header: MemoryLayout<rtmsg>.size)
    let device = answer.first?.attributes.first { $0.type == RTA_OIF.rawValue }
    guard let device, device.value.count == 4 else { return nil }
    return device.value.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
  }
}
