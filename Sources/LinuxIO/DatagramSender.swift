import CLinux
import Glibc

/// A UDP socket connected to one receiver, as soon as there is a way there: a board's network can come up after it.
public struct DatagramSender: ~Copyable {
  private let socket: UDPSocket
  private let connection: Connection
  private var segmentation: Segmentation
  /// How often it connected: each time its path may be another one.
  public private(set) var connections: UInt32
  private var isConnected: Bool

  /// - Parameter segments: many packets of one size are handed over in one call, where the kernel can do that.
  /// - Throws: what no waiting would mend; without a path to the receiver each `send` tries again.
  public init(
    to destination: SocketAddress, over route: Route = Route(), segments: Bool = true
  ) throws(SystemCallError) {
    let socket = try UDPSocket(destination.family, name: destination.description)
    socket.allowBroadcast()
    // What is larger than a packet may be on the way there is refused (EMSGSIZE), not cut into fragments.
    socket.forbidFragments(destination.family)
    // A group's packets reach many hosts: that one of them or a router refuses them (none should, RFC 1122, 3.2.2) does not
    // mean that the others do not get them.
    if !destination.isMulticast { socket.reportErrors(destination.family) }
    route.apply(to: socket, destination)
    // RTCP's port stands next to it, also before there is a network.
    try socket.bind(to: .any(destination.family, port: 0))
    let connection = Connection(to: destination, by: route.interface)
    let obstacle = connection.open(socket)
    if let obstacle, !Connection.isPassing(obstacle) {
      throw SystemCallError("connect", on: destination.description, obstacle, remedy: obstacle.networkRemedy)
    }
    isConnected = obstacle == nil
    connections = obstacle == nil ? 1 : 0
    segmentation = Segmentation(socket, isWanted: segments)
    self.socket = socket
    self.connection = connection
  }

  /// Who it sends to.
  public var destination: SocketAddress { connection.destination }

  /// The destination as it is reached today: a link-local address's interface can get another index.
  public var currentDestination: SocketAddress? { connection.currentDestination }

  /// What it sends through, for who sees to changes of the network.
  public var path: NetworkPath {
    NetworkPath(
      source: isConnected ? localAddress : nil, interface: connection.interface,
      interfaceIndex: connection.interface.flatMap(NetworkInterface.index), isMulticast: destination.isMulticast)
  }

  /// Connects from scratch: source address, route, interface and path MTU are chosen again, and UDP GSO is tried again. The
  /// port and all other settings stay, and so do the packets that wait in the socket.
  /// - Returns: why it cannot be now; each `send` tries again then.
  public mutating func reconnect() -> Errno? {
    let obstacle = connection.open(socket)
    isConnected = obstacle == nil
    if isConnected {
      connections += 1
      segmentation.reset(socket)
    }
    return obstacle
  }

  /// For epoll.
  public var number: Int32 { socket.number }

  /// The address that this machine sends from.
  public var localAddress: SocketAddress { socket.localAddress }

  /// Asks for a send buffer that takes `bytes` of packets at once. The kernel doubles what is asked, for its own part
  /// of each packet.
  /// - Returns: whether it could be had: net.core.wmem_max is the most for those without CAP_NET_ADMIN.
  public func setSendBuffer(bytes: Int) -> Bool {
    socket.setBuffer(SO_SNDBUF, forced: SO_SNDBUFFORCE, bytes: bytes)
    return sendBuffer >= 2 * bytes
  }

  /// The send buffer, and what of it waits to be sent: bytes of the kernel's accounting.
  public var sendBuffer: Int { Int(socket.get(SOL_SOCKET, SO_SNDBUF) ?? 0) }
  public var unsent: Int { socket.unsent }

  /// The error that waits for the next call, such as the answer of a host where nobody listens (SO_ERROR); it is
  /// taken from the socket.
  public func takeError() -> Errno? {
    let errno = socket.get(SOL_SOCKET, SO_ERROR) ?? 0
    guard errno != 0 else { return nil }
    socket.clearErrors()
    return Errno(rawValue: errno)
  }

  /// The most packets that are handed over as one: what has a time of departure leaves in such groups.
  public var largestGroup = Int.max

  /// Has the kernel take times of departure (SO_TXTIME, CLOCK_MONOTONIC). Packets wait for them in the queue of a device
  /// that knows of them; see `QueueDiscipline`. Before Linux 5.3 it needs CAP_NET_ADMIN.
  /// - Returns: whether it does.
  public func takeDepartures() -> Bool {
    socket.set(SOL_SOCKET, SO_TXTIME, sock_txtime(clockid: CLOCK_MONOTONIC, flags: 0)) == nil
  }

  /// What one call came to.
  public enum Outcome: Equatable {
    /// So many packets are gone, at least one; there may be room for more.
    case sent(Int)
    /// So many are gone, at least one; the next one met a full buffer or an error, which sendmmsg does not tell.
    case stopped(Int)
    /// The socket's buffer is full.
    case wouldBlock
    /// None is gone: they are larger than packets may be on the way there, see `largestPacket`.
    case tooLarge
    /// None is gone, for this reason (ECONNREFUSED: nobody listens; it is an earlier packet's answer).
    case failed(Errno)
  }

  /// Whether the kernel cuts packets out of larger calls (UDP GSO).
  public var isSegmenting: Bool { segmentation.isOn }

  /// The largest packet, in bytes of UDP payload, that the path there takes, as far as it is known (IP_MTU).
  public var largestPacket: Int? { isConnected ? socket.largestPacket(destination.family) : nil }

  /// No more than the kernel's UIO_MAXIOV in one call.
  private static let mostPackets = 1024

  /// Hands the kernel packets of `batch` from `first` on, `count` at most, in one call: as many as UDP GSO takes, or,
  /// where that is refused, in single packets (sendmmsg).
  /// - Parameter departure: when they are to leave, in nanoseconds of CLOCK_MONOTONIC; nil: now. Single packets leave at
  ///   once.
  @inline(__always)
  public mutating func send(
    _ batch: borrowing PacketBatch, from first: Int, count: Int, departure: Int64? = nil
  ) -> Outcome {
    if !isConnected, let obstacle = reconnect() { return .failed(obstacle) }
    var refusesSegments = false
    if segmentation.isOn, count > 1 || departure != nil {
      let size = batch.size(of: first)
      let group = Segmentation.group(min(count, largestGroup), ofSize: size)
      if group > 1 || departure != nil, let outcome = sendSegments(batch, first, max(1, group), size, departure) {
        return outcome
      }
      refusesSegments = true
    }
    let wanted = min(count, Self.mostPackets)
    let (sent, errno) = retrying { sendmmsg(number, batch.messages + first, UInt32(wanted), 0) }
    // What refuses single packets, too, says nothing about segments: EINVAL is also a blackhole route's answer.
    if let errno { return outcome(errno) }
    if refusesSegments { segmentation.turnOff() }
    if Int(sent) == wanted { return .sent(wanted) }
    // An error that stopped it is not reported, and what stays in the socket's queue would wake epoll without end.
    socket.clearErrors()
    return .stopped(Int(sent))
  }

  /// - Returns: nil where the kernel or the device seems to refuse segments.
  @inline(__always)
  private func sendSegments(
    _ batch: borrowing PacketBatch, _ first: Int, _ count: Int, _ size: Int, _ departure: Int64?
  ) -> Outcome? {
    guard let errno = segmentation.send(socket, batch.ranges + 2 * first, count, size: size, departure: departure)
    else {
      return .sent(count)
    }
    switch errno {
    case .inputOutput: break
    // Older kernels say this of segments that are too large, newer ones EMSGSIZE.
    case .invalidArgument: if let largestPacket, size > largestPacket { return outcome(.messageTooLarge) }
    default: return outcome(errno)
    }
    return nil
  }
}

extension DatagramSender {
  private func outcome(_ errno: Errno) -> Outcome {
    if errno == .wouldBlock { return .wouldBlock }
    socket.clearErrors()
    return errno == .messageTooLarge ? .tooLarge : .failed(errno)
  }
}
