import LinuxIO

/// Finds the device node of one camera each time that it is opened: it may be plugged in elsewhere, and its number may be
/// another one, or another camera's.
///
/// A path that the user gave as a name, such as a link of /dev/v4l/by-id, is the camera that this name leads to. Behind a
/// numbered path, such as /dev/video0, it is the camera that was there when it was first opened.
struct CameraLocator: Sendable {
  /// The path that the user gave.
  let path: String
  private let paths: SystemPaths
  /// The camera that was opened last.
  private(set) var identity: CameraIdentity?
  /// Another camera is like it in all but its port: the port must be the same, too.
  private(set) var hasTwin = false
  private var twinIsReported = false

  init(_ path: String, paths: SystemPaths = SystemPaths()) {
    self.path = path
    self.paths = paths
  }

  /// The path to open now.
  /// - Returns: nil where the camera is not there.
  func locate() -> String? {
    guard isNumbered else { return locateName() }
    guard let identity else { return File.kind(of: path) == nil ? nil : path }
    return locate(identity)
  }

  /// A camera was opened: it is the one that is meant from now on.
  /// - Parameter path: by which it was opened.
  /// - Returns: false where it is another camera, which got the node between `locate` and its opening.
  mutating func recordOpened(_ path: String) -> Bool {
    // What has no sysfs, as in some containers, is found by its path alone.
    guard let node = Self.node(of: path), nodePath(node) != nil, let found = CameraIdentity(node, in: paths) else {
      return true
    }
    if let identity, isNumbered || hasTwin, !found.isLike(identity) || hasTwin && found.port != identity.port {
      return false
    }
    identity = found
    lookForTwin()
    return true
  }

  /// Finds out whether there is another camera that is like this one. To be called when cameras appear, too.
  mutating func lookForTwin() {
    guard let identity, identity.isUSB, !hasTwin else { return }
    let alike = paths.videoNodes.compactMap { CameraIdentity($0, in: paths) }.filter { $0.isLike(identity) }
    // Alone, it may be this camera in another port.
    hasTwin = alike.contains { $0.port == identity.port } && alike.contains { $0.port != identity.port }
  }

  /// The node that the camera's USB device is reset by; nil where it is none, or is not there.
  var usbNode: String? { identity?.usbNode(in: paths) }

  /// What there is to report, once.
  mutating func nextWarning() -> String? {
    guard hasTwin, !twinIsReported, let identity else { return nil }
    twinIsReported = true
    return
      "\(path): another camera is like this one (\(identity.description)): it is found again only in the same USB port"
  }

  // MARK: Names and numbers

  /// The path is one of the kernel's own names, which the next camera may get.
  private var isNumbered: Bool {
    let prefix = paths.devices + "/video"
    return path.hasPrefix(prefix) && !path.dropFirst(prefix.count).isEmpty
      && path.dropFirst(prefix.count).allSatisfy { ("0"..."9").contains($0) } && !File.isLink(path)
  }

  private func locateName() -> String? {
    guard File.kind(of: path) != nil else { return nil }
    // udev gives this name to one of several cameras with the same serial number. A path by-path has the port in it.
    guard hasTwin, path.contains("/by-id/"), let identity, let node = Self.node(of: path),
      let found = CameraIdentity(node, in: paths), found.isLike(identity), found.port != identity.port
    else { return path }
    return locate(identity)
  }

  private func locate(_ identity: CameraIdentity) -> String? {
    let found = paths.videoNodes.compactMap { node in
      CameraIdentity(node, in: paths).map { (node: node, identity: $0) }
    }.filter { $0.identity.isLike(identity) }
    let isAmbiguous = hasTwin || found.count > 1
    return found.first { !isAmbiguous || $0.identity.port == identity.port }.flatMap { nodePath($0.node) }
  }

  /// The node that a path leads to, such as `video0`.
  private static func node(of path: String) -> String? {
    File.resolve(path)?.split(separator: "/").last.map(String.init)
  }

  /// The path of a node; nil where it is not there yet, or its number is not what sysfs has: in a container it may be
  /// another device's.
  private func nodePath(_ node: String) -> String? {
    let path = paths.devices + "/" + node
    guard File.kind(of: path) != nil else { return nil }
    guard let number = File.deviceNumber(of: path),
      let expected = SystemPaths.attribute(paths.videoClass + "/" + node + "/dev")
    else { return path }
    return number == expected ? path : nil
  }
}
