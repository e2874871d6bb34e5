import CLinux
import Glibc

/// A UDP socket connected to one receiver.
public struct DatagramSender: ~Copyable {
  private let socket: UDPSocket
  /// Who it sends to.
  public let destination: SocketAddress

  public init(to destination: SocketAddress) throws(SystemCallError) {
    let socket = try UDPSocket(destination.family, name: destination.description)
    // A broadcast address is refused (EACCES) without it; for others it changes nothing.
    _ = socket.set(SOL_SOCKET, SO_BROADCAST, Int32(1))
    try socket.connect(to: destination)
    self.socket = socket
    self.destination = destination
  }

  /// For epoll.
  public var number: Int32 { socket.number }

  /// The most routers that packets to a group may pass (default 1: none).
  public func setTimeToLive(_ hops: Int) { socket.setTimeToLive(hops, destination.family) }

  /// The address that this machine sends from.
  public var localAddress: SocketAddress { socket.localAddress }

  /// Asks for a send buffer that takes `bytes` of packets at once. The kernel doubles what is asked, for its own part
  /// of each packet.
  public func setSendBuffer(bytes: Int) { socket.setBuffer(SO_SNDBUF, forced: SO_SNDBUFFORCE, bytes: bytes) }

  /// The error that waits for the next call, such as the answer of a host where nobody listens (SO_ERROR); it is
  /// taken from the socket.
  public func takeError() -> Errno? {
    let errno = socket.get(SOL_SOCKET, SO_ERROR) ?? 0
    return errno == 0 ? nil : Errno(rawValue: errno)
  }

  /// What one call came to.
  public enum Outcome: Equatable {
    /// So many packets are gone, at least one. Where that is fewer than asked, the next one met a full buffer or
    /// an error, which sendmmsg does not tell.
    case sent(Int)
    /// The socket's buffer is full.
    case wouldBlock
    /// None is gone, for this reason (ECONNREFUSED: nobody listens; it is an earlier packet's answer).
    case failed(Errno)
  }

  /// The most packets that one call takes (the kernel's UIO_MAXIOV).
  public static let mostPackets = 1024

  /// Hands the kernel packets of `batch` from `first` on, `count` at most, in one call (sendmmsg).
  @inline(__always)
  public func send(_ batch: borrowing PacketBatch, from first: Int, count: Int) -> Outcome {
    let (sent, errno) = retrying { sendmmsg(number, batch.messages + first, UInt32(count), 0) }
    guard let errno else { return .sent(Int(sent)) }
    return errno == .wouldBlock ? .wouldBlock : .failed(errno)
  }
}
