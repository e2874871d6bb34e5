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
  public static let noDevice = Errno(rawValue: ENODEV)
  public static let noEntry = Errno(rawValue: ENOENT)
  public static let noSpace = Errno(rawValue: ENOSPC)
  public static let noSuchDevice = Errno(rawValue: ENXIO)
  public static let notTTY = Errno(rawValue: ENOTTY)
  public static let notPermitted = Errno(rawValue: EPERM)
  public static let protocolError = Errno(rawValue: EPROTO)
  public static let timedOut = Errno(rawValue: ETIMEDOUT)
  public static let wouldBlock = Errno(rawValue: EAGAIN)

  /// The text and the name, such as `Device or resource busy (EBUSY)`.
  public var description: String {
    guard let text = strerrordesc_np(rawValue), let name = strerrorname_np(rawValue) else {
      return "error \(rawValue)"
    }
    return "\(String(cString: text)) (\(String(cString: name)))"
  }
}
