import Glibc

/// Devices of one subsystem that come and go, as udevd reports them once its rules have run: the node has its owner, its mode
/// and its links by then. libudev is loaded at run time: a machine without it does without.
public struct UdevMonitor: ~Copyable {
  private let library: Library
  private let context: OpaquePointer
  private let monitor: OpaquePointer

  /// - Returns: nil where there is no libudev, or no udevd: the group "udev" would stay silent.
  public init?(subsystem: String) {
    guard access("/run/udev/control", F_OK) == 0, let library = Library(), let context = library.new() else {
      return nil
    }
    guard let monitor = library.newMonitor(context, "udev") else {
      _ = library.release(context)
      return nil
    }
    guard library.filter(monitor, subsystem, nil) >= 0, library.enable(monitor) >= 0 else {
      _ = library.releaseMonitor(monitor)
      _ = library.release(context)
      return nil
    }
    self.library = library
    self.context = context
    self.monitor = monitor
  }

  deinit {
    _ = library.releaseMonitor(monitor)
    _ = library.release(context)
  }

  /// For epoll: readable when there are events. It does not block.
  public var fileDescriptor: Int32 { library.fileDescriptor(monitor) }

  /// The next event of a device that has a node; nil where there is none. A device has appeared when it was added, was bound
  /// to its driver, or its rules were run again.
  public func next() -> PathEvent? {
    while true {
      errno = 0
      guard let device = library.receive(monitor) else { return errno == ENOBUFS ? .missed : nil }
      defer { _ = library.releaseDevice(device) }
      guard let node = library.node(device).map({ String(cString: $0) }) else { continue }
      return library.action(device).map { String(cString: $0) } == "remove"
        ? .vanished(node) : .appeared(node)
    }
  }

  /// The functions that are used (libudev.h).
  private struct Library {
    typealias Get = @convention(c) (OpaquePointer) -> OpaquePointer?
    typealias Text = @convention(c) (OpaquePointer) -> UnsafePointer<CChar>?
    typealias Call = @convention(c) (OpaquePointer) -> CInt

    let new: @convention(c) () -> OpaquePointer?
    let release: Get
    let newMonitor: @convention(c) (OpaquePointer, UnsafePointer<CChar>) -> OpaquePointer?
    let releaseMonitor: Get
    let filter: @convention(c) (OpaquePointer, UnsafePointer<CChar>, UnsafePointer<CChar>?) -> CInt
    let enable: Call
    let fileDescriptor: Call
    let receive: Get
    let releaseDevice: Get
    let node: Text
    let action: Text

    init?() {
      guard let library = try? SharedLibrary(opening: "libudev.so.1"),
        let new = library.symbol("udev_new"), let release = library.symbol("udev_unref"),
        let newMonitor = library.symbol("udev_monitor_new_from_netlink"),
        let releaseMonitor = library.symbol("udev_monitor_unref"),
        let filter = library.symbol("udev_monitor_filter_add_match_subsystem_devtype"),
        let enable = library.symbol("udev_monitor_enable_receiving"),
        let fileDescriptor = library.symbol("udev_monitor_get_fd"),
        let receive = library.symbol("udev_monitor_receive_device"),
        let releaseDevice = library.symbol("udev_device_unref"),
        let node = library.symbol("udev_device_get_devnode"), let action = library.symbol("udev_device_get_action")
      else { return nil }
      self.new = unsafeBitCast(new, to: (@convention(c) () -> OpaquePointer?).self)
      self.release = unsafeBitCast(release, to: Get.self)
      self.newMonitor = unsafeBitCast(
        newMonitor, to: (@convention(c) (OpaquePointer, UnsafePointer<CChar>) -> OpaquePointer?).self)
      self.releaseMonitor = unsafeBitCast(releaseMonitor, to: Get.self)
      self.filter = unsafeBitCast(
        filter, to: (@convention(c) (OpaquePointer, UnsafePointer<CChar>, UnsafePointer<CChar>?) -> CInt).self)
      self.enable = unsafeBitCast(enable, to: Call.self)
      self.fileDescriptor = unsafeBitCast(fileDescriptor, to: Call.self)
      self.receive = unsafeBitCast(receive, to: Get.self)
      self.releaseDevice = unsafeBitCast(releaseDevice, to: Get.self)
      self.node = unsafeBitCast(node, to: Text.self)
      self.action = unsafeBitCast(action, to: Text.self)
    }
  }
}
