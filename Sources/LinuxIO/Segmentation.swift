import CLinux
import Glibc

/// UDP GSO: one `sendmsg` hands the kernel many packets of one size, and it cuts them apart where the device is near
/// (UDP_SEGMENT, Linux 4.18). A destination begins with it where the kernel knows it, and goes without it from its first
/// refusal on, until it connects again: devices without checksum offload refuse it (EIO, before Linux 6.11).
struct Segmentation {
  /// Whether it is used.
  private(set) var isOn = false
  private let isWanted: Bool

  /// UDP_MAX_SEGMENTS of all kernels before 6.9.
  private static let mostSegments = 64
  /// The most bytes of all packets of a call: UDP's own limit over IPv4.
  private static let mostBytes = 65_507

  /// - Parameter isWanted: it is used, if the kernel knows it.
  init(_ socket: borrowing UDPSocket, isWanted: Bool) {
    self.isWanted = isWanted
    reset(socket)
  }

  /// Tries it again: the path may be another one.
  mutating func reset(_ socket: borrowing UDPSocket) {
    // Off is the default: where it can be set, the kernel knows it.
    isOn = isWanted && socket.set(Int32(IPPROTO_UDP), UDP_SEGMENT, Int32(0)) == nil
  }

  /// How many packets of one size, `count` at most, go into one call.
  @inline(__always)
  static func group(_ count: Int, ofSize size: Int) -> Int { min(count, mostSegments, mostBytes / max(1, size)) }

  /// Hands over packets whose ranges stand behind each other; all but the last have `size` bytes.
  /// - Parameter departure: when they are to leave, in nanoseconds of CLOCK_MONOTONIC; nil: now.
  @inline(__always)
  func send(
    _ socket: borrowing UDPSocket, _ ranges: UnsafeMutablePointer<iovec>, _ count: Int, size: Int, departure: Int64?
  ) -> Errno? {
    retrying {
      clinux_send_segments(
        socket.number, ranges, 2 * count, UInt16(truncatingIfNeeded: size), departure != nil,
        UInt64(bitPattern: departure ?? 0))
    }
    .errno
  }

  /// It was refused.
  mutating func turnOff() { isOn = false }
}
