import LinuxIO

/// Where the kernel shows devices.
struct SystemPaths: Sendable {
  /// sysfs, /sys.
  let system: String
  /// Device nodes, /dev.
  let devices: String

  /// - Parameter root: tests have a tree of their own.
  init(root: String = "") {
    system = root + "/sys"
    devices = root + "/dev"
  }

  var videoClass: String { system + "/class/video4linux" }
  var usbDevices: String { system + "/bus/usb/devices" }

  /// The nodes of video devices that sysfs has, such as `video0`, in the order of their names.
  var videoNodes: [String] { ((try? File.names(in: videoClass)) ?? []).filter { $0.hasPrefix("video") } }

  /// The text of a sysfs attribute, without the line feed at its end; nil where it is empty or cannot be read.
  static func attribute(_ path: some StringProtocol) -> String? {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 1)
    defer { memory.deallocate() }
    guard let count = try? File.read(String(path), into: memory) else { return nil }
    let line = UnsafeRawBufferPointer(rebasing: memory[..<count]).prefix { $0 != UInt8(ascii: "\n") }
    let text = String(field: UnsafeRawBufferPointer(rebasing: line))
    return text.isEmpty ? nil : text
  }
}
