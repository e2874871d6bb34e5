import LinuxIO

/// What is known of the camera behind a V4L2 device node, apart from the node's number: from sysfs, read without opening the
/// camera.
struct CameraIdentity: Equatable, Sendable {
  /// idVendor and idProduct, such as `046d`; nil where it is no USB device.
  let vendor: String?
  let product: String?
  /// nil where it has none.
  let serial: String?
  /// Where it is plugged in: the USB port, such as `1-1.2`; of others the device's path in sysfs.
  let port: String
  /// Which of the device's USB interfaces it is of (bInterfaceNumber): a device may have several cameras.
  let interface: String?
  /// Its place among the nodes of one camera: pictures, metadata and so on.
  let index: String?
  /// The camera's name.
  let name: String?

  /// Reads what sysfs has of a node.
  /// - Parameter node: its name, such as `video0`.
  /// - Returns: nil where there is no such node.
  init?(_ node: String, in paths: SystemPaths) {
    let entry = paths.videoClass + "/" + node
    guard let resolved = File.resolve(entry) else { return nil }
    index = SystemPaths.attribute(entry + "/index")
    name = SystemPaths.attribute(entry + "/name")
    // What makes no hardware of its own, such as a loopback device, has no device.
    let device = File.resolve(entry + "/device") ?? resolved
    interface = SystemPaths.attribute(device + "/bInterfaceNumber")
    let usb = Self.usbDevice(above: device)
    vendor = usb.flatMap { SystemPaths.attribute($0 + "/idVendor") }
    product = usb.flatMap { SystemPaths.attribute($0 + "/idProduct") }
    serial = usb.flatMap { SystemPaths.attribute($0 + "/serial") }
    port = usb.flatMap { $0.split(separator: "/").last.map(String.init) } ?? device
  }

  /// The folder of the USB device that a device is, or is an interface of.
  private static func usbDevice(above device: String) -> String? {
    var folder = device[...]
    for _ in 0..<3 {
      if SystemPaths.attribute(folder + "/idVendor") != nil { return String(folder) }
      guard let end = folder.lastIndex(of: "/") else { return nil }
      folder = folder[..<end]
    }
    return nil
  }

  var isUSB: Bool { vendor != nil }

  /// Whether another one may be the same camera, by all but the USB port: that differs after it was plugged in elsewhere.
  func isLike(_ other: CameraIdentity) -> Bool {
    guard isUSB else { return self == other }
    return (vendor, product, serial) == (other.vendor, other.product, other.serial)
      && (interface, index) == (other.interface, other.index)
  }

  /// Such as `046d:0825, serial number 1234, USB port 1-1.2`.
  var description: String {
    guard let vendor, let product else { return name.map { "\($0), \(port)" } ?? port }
    return "\(vendor):\(product), \(serial.map { "serial number \($0)" } ?? "no serial number"), USB port \(port)"
  }

  /// The node that USB devices are reset by, such as `/dev/bus/usb/001/004`: its number changes with each plugging in.
  /// - Returns: nil where the camera is no USB device, or is not there.
  func usbNode(in paths: SystemPaths) -> String? {
    guard isUSB, let bus = SystemPaths.attribute(paths.usbDevices + "/\(port)/busnum").flatMap({ UInt($0) }),
      let device = SystemPaths.attribute(paths.usbDevices + "/\(port)/devnum").flatMap({ UInt($0) })
    else { return nil }
    func three(_ number: UInt) -> String { String(repeating: "0", count: max(0, 3 - "\(number)".count)) + "\(number)" }
    return paths.devices + "/bus/usb/\(three(bus))/\(three(device))"
  }
}
