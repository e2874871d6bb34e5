import CLinux
import Glibc

/// An open file, socket, timer or device. Has one owner, and is closed when that one ends.
public struct FileDescriptor: ~Copyable, Sendable {
  /// The kernel's number, for other calls; valid as long as this value lives.
  public let number: Int32

  /// Takes over `number`, which nobody else may close.
  public init(owning number: Int32) { self.number = number }

  deinit { close(number) }

  /// Opens a file, close-on-exec.
  /// - Parameter flags: as in open(2), such as `O_RDWR | O_NONBLOCK`.
  public init(opening path: String, flags: Int32, mode: mode_t = 0o644) throws(SystemCallError) {
    number = try checked("open", on: path) { clinux_open(path, flags | O_CLOEXEC, mode) }
  }

  /// One ioctl with its argument, tried again when a signal interrupts it.
  /// - Returns: nil where it succeeded, else its error.
  @inline(__always)
  public func control<Argument>(_ request: UInt, _ argument: inout Argument) -> Errno? {
    withUnsafeMutablePointer(to: &argument) { pointer in
      retrying { clinux_ioctl(number, request, pointer) }.errno
    }
  }

  /// Reads once.
  /// - Returns: the bytes read, 0 at the end of a file, or the error (`.wouldBlock` where there is nothing yet).
  public func read(into buffer: UnsafeMutableRawBufferPointer) -> Result<Int, Errno> {
    let (count, errno) = retrying { Glibc.read(number, buffer.baseAddress, buffer.count) }
    return errno.map { .failure($0) } ?? .success(count)
  }

  /// Writes all of `bytes`.
  public func write(_ bytes: UnsafeRawBufferPointer, name: String) throws(SystemCallError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      rest = rest.dropFirst(
        try checked("write", on: name) { Glibc.write(number, part.baseAddress, part.count) })
    }
  }
}

extension Errno: Error {}
