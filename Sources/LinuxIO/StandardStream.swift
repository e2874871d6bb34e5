import CLinux
import Glibc

/// Standard output and standard error, a whole text a write.
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Opens /dev/null in the place of standard input, output and error where they are closed: else the program's own
  /// descriptors would get their numbers, and what is printed would go there. Call it first.
  public static func openClosed() {
    while true {
      let number = clinux_open("/dev/null", O_RDWR, 0)
      if number > 2 { close(number) }
      if number < 0 || number > 2 { return }
    }
  }

  /// A terminal shows it.
  public var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Writes a line of running text, as of a log: where nobody takes it within a tenth of a second, it is left out, so
  /// that a reader that stands still does not hold the program up.
  public func line(_ text: String) {
    var room = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
    if poll(&room, 1, 100) > 0 { _ = write(text + "\n") }
  }

  /// Writes a result, however long that takes.
  /// - Returns: nil, or why it was not written whole: a full disk, a reader that is gone.
  public func write(_ text: String) -> Errno? {
    let bytes = Array(text.utf8)
    var done = 0
    return bytes.withUnsafeBytes { bytes in
      while done < bytes.count {
        let (count, errno) = retrying {
          Glibc.write(rawValue, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        }
        if let errno { return errno }
        done += count
      }
      return nil
    }
  }
}
