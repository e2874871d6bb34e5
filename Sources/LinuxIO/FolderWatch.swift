import CLinux
import Glibc

/// Names that appear in folders and vanish from them (inotify(7)).
public struct FolderWatch: ~Copyable {
  private let descriptor: FileDescriptor
  /// The folders to watch; those that are not there yet are watched once they are.
  private let folders: [String]
  /// The folders by their watch descriptors.
  private var watched: [Int32: String] = [:]
  private var pending: [PathEvent] = []
  private let memory: UnsafeMutableRawBufferPointer

  /// - Parameter folders: a folder that may come and go must have its parent before it.
  public init(_ folders: [String]) throws(SystemCallError) {
    let number = try checked("inotify_init1", on: folders.joined(separator: ", ")) {
      inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    }
    descriptor = FileDescriptor(owning: number)
    memory = .allocate(byteCount: 1 << 14, alignment: 8)
    self.folders = folders
    _ = watchFolders()
  }

  deinit { memory.deallocate() }

  /// For epoll: readable when there are events.
  public var fileDescriptor: Int32 { descriptor.number }

  /// The next event; nil where there is none.
  public mutating func next() -> PathEvent? {
    if pending.isEmpty, case .success(let count) = descriptor.read(into: memory) {
      read(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }
    return pending.isEmpty ? nil : pending.removeFirst()
  }

  private static let mask = UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR)

  /// Watches the folders that are there. The kernel gives a folder that is watched already the same number again.
  /// - Returns: whether one is watched that was not.
  private mutating func watchFolders() -> Bool {
    var isNew = false
    for folder in folders {
      let watch = inotify_add_watch(descriptor.number, folder, Self.mask)
      guard watch >= 0, watched[watch] == nil else { continue }
      watched[watch] = folder
      isNew = true
    }
    return isNew
  }

  private mutating func read(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    var mayHaveFolders = false
    let headerSize = MemoryLayout<inotify_event>.size
    while rest.count >= headerSize {
      let header = UnsafeRawBufferPointer(rebasing: rest).loadUnaligned(as: inotify_event.self)
      let name = rest.dropFirst(headerSize).prefix(Int(header.len))
      rest = rest.dropFirst(headerSize + Int(header.len))
      if header.mask & UInt32(IN_Q_OVERFLOW) != 0 { append(.missed) }
      if header.mask & UInt32(IN_IGNORED) != 0 { watched[header.wd] = nil }
      if header.mask & UInt32(IN_ISDIR | IN_IGNORED) != 0 { mayHaveFolders = true }
      guard header.mask & UInt32(IN_ISDIR) == 0, let folder = watched[header.wd], !name.isEmpty else { continue }
      let path = folder + "/" + String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
      append(header.mask & UInt32(IN_DELETE | IN_MOVED_FROM) != 0 ? .vanished(path) : .appeared(path))
    }
    if mayHaveFolders, watchFolders() { append(.missed) }
  }

  /// The same event twice in a row is one: a node is made, and its mode is set.
  private mutating func append(_ event: PathEvent) { if pending.last != event { pending.append(event) } }
}
