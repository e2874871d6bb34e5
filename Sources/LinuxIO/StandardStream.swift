import Glibc

/// Standard output and standard error, a whole text a write.
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes a line.
  public func line(_ text: String) { write(text + "\n") }

  /// Writes a text. A reader that is gone, or a full disk, is not the program's affair: nothing is thrown.
  public func write(_ text: String) {
    let bytes = Array(text.utf8)
    var done = 0
    bytes.withUnsafeBytes { bytes in
      while done < bytes.count {
        let (count, errno) = retrying {
          Glibc.write(rawValue, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        }
        if errno != nil || count == 0 { return }
        done += count
      }
    }
  }
}
