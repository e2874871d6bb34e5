import Glibc

/// A tree of sysfs and /dev of its own, with cameras that are plugged in and out.
public struct CameraTree: Sendable {
  public let root: String

  /// - Returns: nil where no folder can be made.
  public init?() {
    var template = Array("/tmp/camera-tree-XXXXXX".utf8CString)
    // There may be links above; sysfs has none.
    guard let folder = mkdtemp(&template), let resolved = realpath(folder, nil) else { return nil }
    defer { free(resolved) }
    root = String(cString: resolved)
    for folder in ["/dev/v4l/by-id", "/dev/v4l/by-path", "/dev/cameras"] { make(folder: folder) }
    for folder in ["/sys/class/video4linux", "/sys/bus/usb/devices"] { make(folder: folder) }
  }

  private func make(folder: String) {
    var path = root
    for part in folder.split(separator: "/") {
      path += "/" + part
      mkdir(path, 0o755)
    }
  }

  public func write(_ text: String, _ path: String) {
    let file = Glibc.open(root + path, O_CREAT | O_WRONLY | O_TRUNC, 0o644)
    _ = Glibc.write(file, text, text.utf8.count)
    close(file)
  }

  public func link(_ path: String, to target: String) { symlink(target, root + path) }

  /// Plugs a USB camera in.
  public func plug(
    _ node: String, port: String, vendor: String = "046d", product: String = "0825", serial: String? = "1234",
    interface: String = "00", index: Int = 0, device: Int = 4
  ) {
    let usb = "/sys/devices/pci0/usb1/\(port)"
    let folder = usb + "/\(port):1.\(interface)"
    make(folder: folder + "/video4linux/" + node)
    for (name, text) in [("idVendor", vendor), ("idProduct", product), ("busnum", "1"), ("devnum", "\(device)")] {
      write(text + "\n", usb + "/" + name)
    }
    if let serial { write(serial + "\n", usb + "/serial") }
    write(interface + "\n", folder + "/bInterfaceNumber")
    write("\(index)\n", folder + "/video4linux/\(node)/index")
    write("C270: C270\n", folder + "/video4linux/\(node)/name")
    link(folder + "/video4linux/\(node)/device", to: root + folder)
    link("/sys/class/video4linux/" + node, to: root + folder + "/video4linux/" + node)
    link("/sys/bus/usb/devices/" + port, to: root + usb)
    write("", "/dev/" + node)
  }

  public func unplug(_ node: String, port: String) {
    unlink(root + "/dev/" + node)
    unlink(root + "/sys/class/video4linux/" + node)
    unlink(root + "/sys/bus/usb/devices/" + port)
    for name in ["serial", "idVendor", "idProduct"] { unlink(root + "/sys/devices/pci0/usb1/\(port)/" + name) }
  }
}
