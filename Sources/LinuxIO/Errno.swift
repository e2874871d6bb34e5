import CLinux
import Glibc

/// A system call's error number, as `errno` gives it.
public struct Errno: RawRepresentable, Equatable, Sendable, CustomStringConvertible {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The calling thread's `errno`. Read it right behind the call that failed: any other call may change it.
  public static var last: Errno { Errno(rawValue: Glibc.errno) }

  public static let accessDenied = Errno(rawValue: EACCES)
  public static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
  public static let addressInUse = Errno(rawValue: EADDRINUSE)
  public static let brokenPipe = Errno(rawValue: EPIPE)
  public static let busy = Errno(rawValue: EBUSY)
  public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
  public static let hostUnreachable = Errno(rawValue: EHOSTUNREACH)
  public static let inputOutput = Errno(rawValue: EIO)
  public static let interrupted = Errno(rawValue: EINTR)
  public static let invalidArgument = Errno(rawValue: EINVAL)
  public static let messageTooLarge = Errno(rawValue: EMSGSIZE)
  public static let networkDown = Errno(rawValue: ENETDOWN)
  public static let networkUnreachable = Errno(rawValue: ENETUNREACH)
  public static let noBufferSpace = Errno(rawValue: ENOBUFS)
  public static let noData = Errno(rawValue: ENODATA)
  public static let noDevice = Errno(rawValue: ENODEV)
  public static let noEntry = Errno(rawValue: ENOENT)
  public static let noLink = Errno(rawValue: ENOLINK)
  public static let noLock = Errno(rawValue: ENOLCK)
  public static let noSpace = Errno(rawValue: ENOSPC)
  public static let noSuchDevice = Errno(rawValue: ENXIO)
  public static let notTTY = Errno(rawValue: ENOTTY)
  public static let notPermitted = Errno(rawValue: EPERM)
  public static let outOfRange = Errno(rawValue: ERANGE)
  public static let protocolError = Errno(rawValue: EPROTO)
  public static let timedOut = Errno(rawValue: ETIMEDOUT)
  public static let wouldBlock = Errno(rawValue: EAGAIN)

  /// Why packets do not leave, and what to do, where a network call failed so.
  public var networkRemedy: String? {
    switch self {
    case .connectionRefused: "nobody receives there yet"
    case .networkUnreachable, .networkDown, .addressNotAvailable: "the network is not up, or has no route there"
    case .hostUnreachable:
      "no host answers at that address: it is off, or not in this network, or a router or a route ('ip route get') says so"
    case .messageTooLarge: "packets are larger than the path there takes: a smaller --mtu, or --mtu auto, helps"
    case .noBufferSpace:
      "the queue of the network device is full, and the rest of such frames is not sent: --pace on, or a lower rate, helps"
    case .notPermitted:
      "a firewall on this machine drops them ('sudo nft list ruleset', 'sudo iptables -L OUTPUT'), or its connection"
        + " tracking table is full ('sudo dmesg' has nf_conntrack then)"
    case .noDevice: "its network interface is not there ('ip link' shows those that are)"
    case .invalidArgument:
      "a blackhole route discards them ('ip route get'), or this machine lost the address that it sends from"
    case .accessDenied: "a route forbids it ('ip route get'), or the address is a broadcast address of the network"
    default: nil
    }
  }

  /// The text and the name, such as `Device or resource busy (EBUSY)`.
  public var description: String {
    guard let text = strerrordesc_np(rawValue), let name = strerrorname_np(rawValue) else {
      return "error \(rawValue)"
    }
    return "\(String(cString: text)) (\(String(cString: name)))"
  }
}
