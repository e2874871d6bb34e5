import Glibc

/// A mapping of a device's or a file's memory. Has one owner, and is unmapped when that one ends.
public struct MemoryMap: ~Copyable {
  /// The mapped bytes; valid as long as this value lives.
  public let bytes: UnsafeMutableRawBufferPointer

  /// Maps `length` bytes of `file` from `offset`, shared, readable and writable (a capture driver's buffers
  /// are).
  public init(_ file: borrowing FileDescriptor, offset: Int, length: Int, name: String) throws(SystemCallError) {
    let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, off_t(offset))
    guard let start, start != MAP_FAILED else { throw SystemCallError("mmap", on: name, .last) }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: length)
  }

  deinit { munmap(bytes.baseAddress, bytes.count) }
}
