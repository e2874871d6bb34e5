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
  /// that a reader that stands still does not hold the program up. What is not to be shown is replaced.
  /// - Returns: why it was not written; nil where it was.
  @discardableResult public func line(_ text: String) -> Errno? { show(text.printableLines + "\n", within: 100) }

  /// Writes a text, unless nobody takes it.
  /// - Parameter milliseconds: that it waits for its reader.
  @discardableResult public func show(_ text: String, within milliseconds: Int32 = 0) -> Errno? {
    write(text) { Self.hasRoom($0, within: milliseconds) }
  }

  private static func hasRoom(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
    var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return retrying { poll(&room, 1, milliseconds) }.result > 0
  }

  /// Its reader is gone: nothing that is written arrives any more.
  public var isClosed: Bool {
    var state = pollfd(fd: rawValue, events: 0, revents: 0)
    return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR) != 0
  }

  /// Writes a result, however long that takes.
  /// - Returns: as below.
  public func write(_ text: String) -> Errno? { write(text) { Self.hasRoom($0, within: -1) } }

  /// Writes a result.
  /// - Parameter waiting: called before each part is written, with the file descriptor; whether it is to be written. A part
  ///   that a pipe has room for (poll says so) does not block.
  /// - Returns: nil, or why it was not written whole: a full disk, a reader that is gone, or does not read (EAGAIN).
  public func write(_ text: String, waiting: (Int32) -> Bool) -> Errno? {
    let bytes = Array(text.utf8)
    var done = 0
    return bytes.withUnsafeBytes { bytes in
      while done < bytes.count {
        guard waiting(rawValue) else { return .wouldBlock }
        let (count, errno) = retrying {
          Glibc.write(rawValue, bytes.baseAddress.map { $0 + done }, min(Int(PIPE_BUF), bytes.count - done))
        }
        // It may be shared with one who made it non-blocking.
        if let errno, errno != .wouldBlock { return errno }
        done += max(0, count)
      }
      return nil
    }
  }
}
