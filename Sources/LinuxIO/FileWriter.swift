import Glibc

/// A text file that grows line by line; what was written is on its way to the disk after `flush`.
public struct FileWriter: ~Copyable {
  private let file: FileDescriptor
  private let path: String
  private var bytes: [UInt8] = []
  private static let enough = 1 << 16

  /// Begins a file anew.
  public init(creating path: String) throws(SystemCallError) {
    file = try FileDescriptor(opening: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    self.path = path
  }

  public mutating func line(_ text: String) throws(SystemCallError) {
    bytes.append(contentsOf: text.utf8)
    bytes.append(UInt8(ascii: "\n"))
    if bytes.count >= Self.enough { try flush() }
  }

  public mutating func flush() throws(SystemCallError) {
    let bytes = bytes
    self.bytes.removeAll(keepingCapacity: true)
    let error = bytes.withUnsafeBytes { bytes -> SystemCallError? in
      do throws(SystemCallError) { try file.write(bytes, name: path) } catch { return error }
      return nil
    }
    if let error { throw error }
  }
}
