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

  /// The address that this machine sends from.
  public var localAddress: SocketAddress { socket.localAddress }

  /// Asks for a send buffer of `bytes` (SO_SNDBUF; the kernel doubles it).
  public func setSendBuffer(bytes: Int) { _ = socket.set(SOL_SOCKET, SO_SNDBUF, Int32(clamping: bytes)) }

  /// What one call came to.
  public enum Outcome: Equatable {
    /// So many packets are gone, at least one.
    case sent(Int)
    /// The socket's buffer is full.
    case wouldBlock
    /// None is gone, for this reason (ECONNREFUSED: nobody listens; it is an earlier packet's answer).
    case failed(Errno)
  }

  /// Hands the kernel packets of `batch` from `first` on, in one call (sendmmsg; at most 1024, UIO_MAXIOV).
  @inline(__always)
  public func send(_ batch: borrowing PacketBatch, from first: Int) -> Outcome {
    let wanted = min(batch.count - first, 1024)
    let (sent, errno) = retrying { sendmmsg(number, batch.messages + first, UInt32(wanted), 0) }
    guard let errno else { return .sent(Int(sent)) }
    return errno == .wouldBlock ? .wouldBlock : .failed(errno)
  }
}
