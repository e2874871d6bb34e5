import Glibc

/// A file that is opened in place, whatever its path leads to, and written without ever waiting: what a pipe does not take
/// yet, since it has no reader or no room, is kept for the next `flush`.
public final class FileWriter {
  private let path: String
  /// nil as long as nobody reads the pipe.
  private var file: FileDescriptor?
  private var bytes: [UInt8] = []
  /// How many of them are written.
  private var written = 0

  /// What waits for its reader at most, of what is written line by line.
  private static let limit = 1 << 20
  /// Written at once.
  private static let enough = 1 << 16

  /// Empties the file, or makes it.
  public init(creating path: String) throws(SystemCallError) {
    self.path = path
    try open()
  }

  private func open() throws(SystemCallError) {
    do throws(SystemCallError) {
      file = try Self.open(path, flags: O_TRUNC)
    } catch {
      guard error.errno == .noSuchDevice, File.kind(of: path) == .pipe else { throw error }
    }
  }

  /// Opens a file in place, through symbolic links, and makes it where there is none. What is there is opened without
  /// O_CREAT, which the kernel refuses for others' pipes in /tmp (`fs.protected_fifos`).
  static func open(_ path: String, flags: Int32) throws(SystemCallError) -> FileDescriptor {
    let flags = flags | O_WRONLY | O_NONBLOCK | O_NOCTTY
    do throws(SystemCallError) { return try FileDescriptor(opening: path, flags: flags) } catch {
      guard error.errno == .noEntry else { throw error }
      return try FileDescriptor(opening: path, flags: flags | O_CREAT)
    }
  }

  /// For poll; nil as long as nobody reads the pipe.
  var fileDescriptor: Int32? { file?.number }

  func append(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }

  /// Adds a line, which is written with the next `flush` at the latest.
  public func line(_ text: String) throws(SystemCallError) {
    bytes.append(contentsOf: text.utf8)
    bytes.append(UInt8(ascii: "\n"))
    if bytes.count >= Self.enough { try flush() }
    if bytes.count - written >= Self.limit { throw unread }
  }

  /// Writes what can be written now.
  /// - Returns: whether that was all.
  @discardableResult public func flush() throws(SystemCallError) -> Bool {
    if file == nil { try open() }
    guard file != nil else { return false }
    while written < bytes.count {
      guard let count = try writeOnce() else { return false }
      written += count
    }
    bytes.removeAll(keepingCapacity: true)
    written = 0
    return true
  }

  /// - Returns: how many bytes were written; nil where there is no room.
  private func writeOnce() throws(SystemCallError) -> Int? {
    let (count, errno) = bytes.withUnsafeBytes { bytes in
      retrying { Glibc.write(file?.number ?? -1, bytes.baseAddress.map { $0 + written }, bytes.count - written) }
    }
    if errno == .wouldBlock { return nil }
    if let errno { throw SystemCallError("write", on: path, errno) }
    return count
  }

  /// Writes all that is left, however long its reader takes, unless the program is to end.
  public func finish(_ signals: inout Signals) throws(SystemCallError) {
    while try !flush() {
      guard signals.wait(toWrite: fileDescriptor) else { throw unread }
    }
  }

  /// What is lost when nobody waits any longer.
  public var unread: SystemCallError {
    SystemCallError(
      "write", on: path, .wouldBlock, remedy: "nobody reads it: \(bytes.count - written) bytes are lost")
  }
}
