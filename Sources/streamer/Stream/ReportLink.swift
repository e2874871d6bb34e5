import LinuxIO
import RTPCore

/// RTCP with one receiver: its socket, next to that of the stream, and what is reported both ways.
struct ReportLink: ~Copyable {
  private let socket: DatagramSocket
  private var destination: SocketAddress
  /// The interface by which the stream leaves, if one was asked for.
  private let interface: String?
  /// It uses the stream's own socket.
  private let isMuxed: Bool
  /// The index of the interface on which the group was joined, to receive its receivers' reports: it needs a route. 0: the
  /// routing table's; nil: it was not.
  private var joinedIndex: UInt32?
  private var rtcp: RTCPSender
  /// The first frame was sent.
  private var hasBegun = false

  /// - Parameter isMuxed: RTCP goes the way of RTP (RFC 5761); else each has a port, RTCP's behind RTP's (RFC 3550, 11).
  static func open(
    beside sender: borrowing DatagramSender, over route: Route, name: CanonicalName, isMuxed: Bool
  ) throws(SystemCallError) -> ReportLink {
    let stream = sender.destination
    if isMuxed { return ReportLink(try DatagramSocket(sharing: sender), to: stream, route, name, isMuxed: true) }
    let socket = try socket(beside: sender, interface: route.interface)
    if let errno = socket.setRoute(route, to: stream), errno != .noDevice {
      throw SystemCallError("sending by \(route.interface ?? "")", on: stream.description, errno)
    }
    return ReportLink(socket, to: stream.with(port: stream.port + 1), route, name, isMuxed: false)
  }

  private init(
    _ socket: consuming DatagramSocket, to destination: SocketAddress, _ route: Route, _ name: CanonicalName,
    isMuxed: Bool
  ) {
    self.socket = socket
    self.destination = destination
    interface = route.interface
    self.isMuxed = isMuxed
    let peer = destination.peer
    rtcp = RTCPSender(
      name: name, isUnicast: peer != nil, receiver: peer.map { TransportAddress($0) } ?? TransportAddress(),
      now: Clock.monotonic)
    // Without a route there are no reports yet; the stream's packets tell the user.
    join()
  }

  /// Tries again, since there may be a route by now.
  private mutating func join() {
    guard !isMuxed, joinedIndex == nil, destination.isMulticast else { return }
    let index = interface.map(NetworkInterface.index) ?? 0
    guard let index, socket.join(destination, onInterface: index) == nil else { return }
    joinedIndex = index
  }

  /// The network changed: its interface may be another one of the same name.
  /// - Parameter stream: the stream's destination of today; nil: its interface is gone.
  mutating func reconnect(to stream: SocketAddress?) {
    guard !isMuxed else { return }
    if let joinedIndex { socket.leave(destination, onInterface: joinedIndex) }
    joinedIndex = nil
    if let stream { destination = stream.with(port: destination.port) }
    _ = socket.setInterface(interface, to: destination)
    join()
  }

  /// The port behind RTP's at this end, too, where it is free; a group's reports come to the group.
  private static func socket(
    beside sender: borrowing DatagramSender, interface: String?
  ) throws(SystemCallError) -> DatagramSocket {
    let stream = sender.destination
    do throws(SystemCallError) {
      if stream.isMulticast { return try DatagramSocket(before: groupAddress(stream, interface: interface)) }
      if (1..<UInt16.max).contains(sender.localAddress.port) {
        return try DatagramSocket(at: .any(stream.family, port: sender.localAddress.port + 1))
      }
    } catch {
      if error.errno != .addressInUse { throw error }
    }
    return try DatagramSocket(at: .any(stream.family, port: 0))
  }

  /// Where a group's reports come to. A link-local group can be bound to only on its interface: as long as that is not there,
  /// its reports come to its port at any address.
  private static func groupAddress(_ stream: SocketAddress, interface: String?) -> SocketAddress {
    let address = stream.with(port: stream.port + 1)
    guard address.needsInterface else { return address }
    let index = interface.flatMap(NetworkInterface.index)
    return index.map { address.with(interfaceIndex: $0) } ?? .any(.ipv6, port: address.port)
  }

  /// For epoll.
  var number: Int32 { socket.number }

  /// When `report` is to be called; nil: nothing was sent yet.
  var due: Int64? { hasBegun ? rtcp.due : nil }

  /// A receiver sent a report once; it may have left since.
  private(set) var hasReported = false

  /// How the stream is received.
  var reception: RTCPSender.Reception { rtcp.reception }

  /// The first frame was sent. For unicast the first sender report is due at once (RFC 3550, 6.2).
  mutating func start(now: Int64) {
    hasBegun = true
    rtcp.begin(now: now)
  }

  @inline(__always)
  mutating func count(packets: Int, octets: Int) { rtcp.count(packets: packets, octets: octets) }

  /// Bytes of memory that sending and taking reports needs.
  static let scratchSize = 2048

  /// Sends a report, if one is due.
  /// - Parameters:
  ///   - time: both clocks at one instant, in nanoseconds.
  ///   - scratch: `scratchSize` bytes.
  mutating func report(
    ssrc: UInt32, clock: MediaClock, time: (monotonic: Int64, realtime: Int64), scratch: UnsafeMutableRawBufferPointer
  ) {
    guard hasBegun else { return }
    join()
    send(
      scratch, rtcp.report(ssrc: ssrc, clock: clock, now: time.monotonic, realtime: time.realtime, into: scratch))
  }

  /// Ends the source.
  mutating func sayGoodbye(
    ssrc: UInt32, clock: MediaClock, time: (monotonic: Int64, realtime: Int64), scratch: UnsafeMutableRawBufferPointer
  ) {
    send(
      scratch, rtcp.goodbye(ssrc: ssrc, clock: clock, now: time.monotonic, realtime: time.realtime, into: scratch))
  }

  /// The stream goes on as another source.
  mutating func restart(now: Int64) { rtcp.restart(now: now) }

  /// What the receiver said.
  enum Heard {
    case nothing
    /// It, or someone else in its group, has the stream's SSRC.
    case collision
    /// It came from this address, which is not the receiver's, for the first time.
    case foreign(SocketAddress)
    case failed(Errno)
  }

  /// Takes one datagram that is there.
  mutating func hear(ssrc: UInt32, scratch: UnsafeMutableRawBufferPointer) -> Heard {
    switch socket.receive(into: scratch) {
    case .none: return .nothing
    case .failed(let errno): return .failed(errno)
    case .datagram(let bytes, let address):
      guard hasBegun else { return .nothing }
      let before = rtcp.foreign
      let event = rtcp.receive(bytes, from: TransportAddress(address), ssrc: ssrc, now: Clock.monotonic)
      hasReported = hasReported || reception.receivers > 0
      if before == 0, rtcp.foreign == 1 { return .foreign(address) }
      switch event {
      case .none: return .nothing
      case .collision: return .collision
      }
    }
  }

  /// A report that can't be sent now is skipped: the next one comes.
  private func send(_ memory: UnsafeMutableRawBufferPointer, _ size: Int) {
    guard size > 0 else { return }
    _ = socket.send(UnsafeRawBufferPointer(rebasing: memory[..<size]), to: destination)
  }
}
