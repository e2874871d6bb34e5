import CLinux
import Glibc

/// Whole files, and the names in folders.
public enum File {
  /// Reads all of a file.
  /// - Parameter limit: the most bytes that are taken; a larger file throws EFBIG.
  public static func read(_ path: String, limit: Int = 1 << 30) throws(SystemCallError) -> [UInt8] {
    let file = try open(path)
    var status = stat()
    try checked("fstat", on: path) { fstat(file.number, &status) }
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

  /// Reads the beginning of a regular file.
  /// - Returns: how many bytes of `memory` it filled.
  public static func read(_ path: String, into memory: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int {
    let file = try open(path)
    var done = 0
    while done < memory.count {
      switch file.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[done...])) {
      case .failure(let errno): throw SystemCallError("read", on: path, errno)
      case .success(0): return done
      case .success(let count): done += count
      }
    }
    return done
  }

  /// Bytes of a regular file. Nothing is opened: opening a device may change it.
  public static func size(_ path: String) throws(SystemCallError) -> Int {
    var status = stat()
    try checked("stat", on: path) { stat(path, &status) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw irregular(path) }
    return Int(status.st_size)
  }

  /// A pipe or a terminal has no end to wait for.
  private static func open(_ path: String) throws(SystemCallError) -> FileDescriptor {
    let file = try FileDescriptor(opening: path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
    var status = stat()
    try checked("fstat", on: path) { fstat(file.number, &status) }
    guard [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) else { throw irregular(path) }
    return file
  }

  private static func irregular(_ path: String) -> SystemCallError {
    SystemCallError("read", on: path, .invalidArgument, remedy: "it is no regular file")
  }

  /// Finds out whether `write` can begin, without a change to what is there.
  public static func probe(_ path: String) throws(SystemCallError) {
    // Such as a name that is too long: the file next to it that is made below has another.
    var status = stat()
    if lstat(path, &status) != 0, Errno.last != .noEntry { throw SystemCallError("open", on: path, .last) }
    // Through a link, too, which is not opened for that: a pipe's reader would see an end.
    switch kind(of: path) == .pipe ? .pipe : kindOfName(path) {
    case nil, .regular:
      do throws(SystemCallError) { unlink(try makePart(of: path).name) } catch {
        // It is written in place then.
        guard access(path, W_OK) == 0 else { throw error }
      }
    case .pipe:
      // It may have no reader yet.
      try checked("open", on: path) { access(path, W_OK) }
    default: _ = try FileWriter.open(path, flags: 0)
    }
  }

  /// Writes a whole file. Where its folder takes another file, it gets a name of its own and is then renamed, so that a
  /// reader never sees half of it; it keeps the owner and the mode of the file that it replaces. What is there and no regular file (a link such as `/dev/stdout`, a pipe, a device) is
  /// never replaced: the kernel opens it as it is.
  /// - Returns: nil where all is written; else what waits for the reader of a pipe.
  public static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws(SystemCallError) -> FileWriter? {
    if isReplaceable(path), try replace(path, with: bytes) { return nil }
    let writer = try FileWriter(creating: path)
    writer.append(bytes)
    return try writer.flush() ? nil : writer
  }

  /// Writes a text as a whole file; see `write(_:to:)`.
  public static func write(_ text: String, to path: String) throws(SystemCallError) -> FileWriter? {
    let result = Array(text.utf8).withUnsafeBytes { bytes -> Result<FileWriter?, SystemCallError> in
      do throws(SystemCallError) { return .success(try write(bytes, to: path)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// Nothing, or a regular file, has this name.
  private static func isReplaceable(_ path: String) -> Bool {
    let kind = kindOfName(path)
    return kind == nil || kind == .regular
  }

  /// Makes a new file in the folder of `path`, under a name that nobody else's file has.
  private static func makePart(of path: String) throws(SystemCallError) -> (name: String, descriptor: Int32) {
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    let name = folder + ".streamer-" + String(UInt64.random(in: 0 ... .max), radix: 16)
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    return (name, try checked("open", on: path) { clinux_open(name, flags, 0o644) })
  }

  /// - Returns: false where its folder takes no other file, none may be put in its place (a mount), or the new file would
  ///   not be all that the old one is: it has another name (a hard link), or an owner that the new one cannot get.
  private static func replace(_ path: String, with bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Bool {
    var old = stat()
    let isThere = lstat(path, &old) == 0
    guard !isThere || old.st_nlink == 1, let part = try? makePart(of: path) else { return false }
    let file = FileDescriptor(owning: part.descriptor)
    if isThere {
      let isKept = fchown(file.number, old.st_uid, old.st_gid) == 0 && fchmod(file.number, old.st_mode & 0o7777) == 0
      if !isKept, access(path, W_OK) == 0 {
        unlink(part.name)
        return false
      }
    }
    do throws(SystemCallError) {
      try file.write(bytes, name: path)
    } catch {
      unlink(part.name)
      throw error
    }
    // It may have become something else meanwhile.
    if isReplaceable(path), rename(part.name, path) == 0 { return true }
    unlink(part.name)
    return false
  }

  /// Makes a folder where there is none, and finds out whether it takes files.
  public static func makeDirectory(_ path: String) throws(SystemCallError) {
    if kind(of: path) != .directory { try checked("mkdir", on: path) { mkdir(path, 0o755) } }
    unlink(try makePart(of: path + "/").name)
  }

  /// The names in a folder in the order of their bytes, without `.` and `..`.
  /// - Parameter skip: is called with each name that is not valid UTF-8, in any order: no String leads to its file.
  public static func names(
    in directory: String, skip: (NotUTF8) -> Void = { _ in }
  ) throws(SystemCallError) -> [String] {
    guard let stream = opendir(directory) else {
      throw SystemCallError("opendir", on: directory, .last)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes -> String? in
        let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix { $0 != 0 })
        let name = String(validating: bytes, as: UTF8.self)
        if name == nil { skip(NotUTF8(bytes)) }
        return name
      }
      guard let name else { continue }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// What a path leads to.
  public enum Kind: Sendable { case regular, directory, characterDevice, pipe, link, other }

  /// What a path leads to, through symbolic links; nil where there is nothing.
  public static func kind(of path: String) -> Kind? {
    var status = stat()
    return stat(path, &status) == 0 ? Kind(status) : nil
  }

  /// What has this name, which may be a symbolic link; nil where there is nothing.
  static func kindOfName(_ path: String) -> Kind? {
    var status = stat()
    return lstat(path, &status) == 0 ? Kind(status) : nil
  }

  /// The device number of a character device, such as `81:0`, as sysfs writes it; nil where the path leads to none.
  public static func deviceNumber(of path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, Kind(status) == .characterDevice else { return nil }
    return "\(clinux_major(status.st_rdev)):\(clinux_minor(status.st_rdev))"
  }

  /// Whether the path itself is a symbolic link, wherever that leads.
  public static func isLink(_ path: String) -> Bool { kindOfName(path) == .link }

  /// The path with every symbolic link followed; nil where there is nothing.
  public static func resolve(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

extension File.Kind {
  fileprivate init(_ status: stat) {
    self =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFCHR: .characterDevice
      case S_IFIFO: .pipe
      case S_IFLNK: .link
      default: .other
      }
  }
}
