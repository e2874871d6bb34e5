import LinuxIO

/// Device nodes of cameras that appear and vanish: from udevd where that runs, else from the folder of the nodes itself, as in
/// containers. Some disconnects give no event, so that cameras must be looked for now and then all the same.
struct DeviceEvents: ~Copyable {
  private let udev: UdevMonitor?
  private var folders: FolderWatch?
  private let nodes: String

  /// - Parameters:
  ///   - nodes: the folder of device nodes.
  ///   - usesUdev: whether udevd is asked where it runs.
  init(nodes: String = "/dev", usesUdev: Bool = true) throws(SystemCallError) {
    let udev = usesUdev ? UdevMonitor(subsystem: "video4linux") : nil
    let folders =
      udev == nil
      ? try FolderWatch([nodes, nodes + "/v4l", nodes + "/v4l/by-id", nodes + "/v4l/by-path"]) : nil
    // All at the end: Swift 6.0 crashes where a step can fail after a property is set.
    self.udev = udev
    self.folders = folders
    self.nodes = nodes
  }

  /// For epoll: readable when there are events.
  var fileDescriptor: Int32 {
    switch udev {
    case .some(let udev): return udev.fileDescriptor
    case nil: break
    }
    switch folders {
    case .some(let folders): return folders.fileDescriptor
    case nil: return -1
    }
  }

  /// For people: where the events come from.
  var origin: String { udev == nil ? "inotify on \(nodes)" : "udev" }

  /// The next event of a camera's node or of a link to one; nil where there is none.
  mutating func next() -> PathEvent? {
    if let event = udev?.next() { return event }
    while let event = folders?.next() {
      switch event {
      case .appeared(let path), .vanished(let path): if isCamera(path) { return event }
      case .missed: return event
      }
    }
    return nil
  }

  private func isCamera(_ path: String) -> Bool {
    path.hasPrefix(nodes + "/video") || path.hasPrefix(nodes + "/v4l/by-")
  }
}
