import Glibc

/// Whole files, and the names in folders.
public enum File {
  /// Reads all of a file.
  /// - Parameter limit: the most bytes that are taken; a larger file throws EFBIG.
  public static func read(_ path: String, limit: Int = 1 << 30) throws(SystemCallError) -> [UInt8] {
    let file = try FileDescriptor(opening: path, flags: O_RDONLY | O_NONBLOCK)
    var status = stat()
    try checked("fstat", on: path) { fstat(file.number, &status) }
    // A pipe or a terminal has no end to wait for.
    guard [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) else {
      throw SystemCallError("read", on: path, .invalidArgument, remedy: "it is no regular file")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(limit, max(0, Int(status.st_size)) + 1))
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { chunk.deallocate() }
    while true {
      switch file.read(into: chunk) {
      case .failure(let errno): throw SystemCallError("read", on: path, errno)
      case .success(0): return bytes
      case .success(let count):
        if bytes.count + count > limit {
          throw SystemCallError(
            "read", on: path, Errno(rawValue: EFBIG), remedy: "it has more than \(limit) bytes")
        }
        bytes.append(contentsOf: chunk[..<count])
      }
    }
  }

  /// Finds out whether `write` can begin, without a change to what is there.
  public static func probe(_ path: String) throws(SystemCallError) {
    let kind = kind(of: path)
    // A pipe may have no reader yet.
    if kind == .other { return }
    if kind == .directory || kind == .characterDevice {
      _ = try FileDescriptor(opening: path, flags: O_WRONLY)
      return
    }
    let part = path + ".part"
    _ = try FileDescriptor(opening: part, flags: O_WRONLY | O_CREAT | O_TRUNC)
    unlink(part)
  }

  /// Writes a whole file under another name and renames it, so that a reader never sees half of it. What is
  /// there and no regular file (`/dev/stdout`, a pipe) is written to as it is.
  public static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws(SystemCallError) {
    if let kind = kind(of: path), kind != .regular {
      try FileDescriptor(opening: path, flags: O_WRONLY).write(bytes, name: path)
      return
    }
    let part = path + ".part"
    do throws(SystemCallError) {
      try FileDescriptor(opening: part, flags: O_WRONLY | O_CREAT | O_TRUNC).write(bytes, name: path)
      try checked("rename", on: path) { rename(part, path) }
    } catch {
      unlink(part)
      throw error
    }
  }

  /// Writes a text as a whole file.
  public static func write(_ text: String, to path: String) throws(SystemCallError) {
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBytes { bytes -> SystemCallError? in
      do throws(SystemCallError) { try write(bytes, to: path) } catch { return error }
      return nil
    }
    if let result { throw result }
  }

  /// Makes a folder where there is none.
  public static func makeDirectory(_ path: String) throws(SystemCallError) {
    if kind(of: path) == .directory { return }
    try checked("mkdir", on: path) { mkdir(path, 0o755) }
  }

  /// The names in a folder in the order of their bytes, without `.` and `..`.
  public static func names(in directory: String) throws(SystemCallError) -> [String] {
    guard let stream = opendir(directory) else {
      throw SystemCallError("opendir", on: directory, .last)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// What a path leads to.
  public enum Kind: Sendable { case regular, directory, characterDevice, other }

  /// What a path leads to, through symbolic links; nil where there is nothing.
  public static func kind(of path: String) -> Kind? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .regular
    case S_IFDIR: return .directory
    case S_IFCHR: return .characterDevice
    default: return .other
    }
  }

  /// The path with every symbolic link followed; nil where there is nothing.
  public static func resolve(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
