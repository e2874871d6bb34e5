import CScriptedDriver
import Glibc
import LinuxIO
import ScriptedDriver
import Testing

@testable import streamer

extension CameraTree {
  fileprivate var paths: SystemPaths { SystemPaths(root: root) }

  fileprivate func locator(_ path: String) -> CameraLocator { CameraLocator(root + path, paths: paths) }

  /// A camera that was opened by its path.
  fileprivate func opened(_ path: String) -> CameraLocator {
    var locator = locator(path)
    _ = locator.recordOpened(root + path)
    return locator
  }
}

@Suite struct CameraLocatorTests {
  private let tree: CameraTree

  init() throws { tree = try #require(CameraTree()) }

  private func located(_ locator: CameraLocator) -> String? {
    locator.locate().map { String($0.dropFirst(tree.root.count)) }
  }

  @Test func anIdentity() throws {
    tree.plug("video0", port: "1-1.2")
    let camera = try #require(CameraIdentity("video0", in: tree.paths))
    #expect(camera.vendor == "046d" && camera.product == "0825" && camera.serial == "1234" && camera.port == "1-1.2")
    #expect(camera.interface == "00" && camera.index == "0" && camera.name == "C270: C270" && camera.isUSB)
    #expect(camera.description == "046d:0825, serial number 1234, USB port 1-1.2")
    #expect(camera.usbNode(in: tree.paths) == tree.root + "/dev/bus/usb/001/004")
    #expect(CameraIdentity("video1", in: tree.paths) == nil)
    tree.unplug("video0", port: "1-1.2")
    #expect(camera.usbNode(in: tree.paths) == nil)
  }

  @Test func attributesOfAnyKind() {
    for (text, expected) in [
      ("", nil), ("\n", nil), ("a b\n", "a b"), ("x", "x"), ("\u{1B}[1m\n", "\u{FFFD}[1m"), ("\0abc", nil),
      (String(repeating: "s", count: 9000), String(repeating: "s", count: 512)),
    ] as [(String, String?)] {
      tree.write(text, "/attribute")
      #expect(SystemPaths.attribute(tree.root + "/attribute") == expected)
    }
    #expect(SystemPaths.attribute(tree.root + "/none") == nil && SystemPaths.attribute(tree.root) == nil)
    mkfifo(tree.root + "/pipe", 0o600)
    #expect(SystemPaths.attribute(tree.root + "/pipe") == nil)
  }

  @Test func aCameraComesBackElsewhere() {
    tree.plug("video0", port: "1-1")
    let locator = tree.opened("/dev/video0")
    #expect(located(locator) == "/dev/video0")
    tree.unplug("video0", port: "1-1")
    #expect(located(locator) == nil)
    // Another camera gets its number.
    tree.plug("video0", port: "1-2", product: "0bd1", serial: "9")
    #expect(located(locator) == nil)
    tree.plug("video2", port: "1-3")
    #expect(located(locator) == "/dev/video2")
    // sysfs has it, and its node is still to come.
    unlink(tree.root + "/dev/video2")
    #expect(located(locator) == nil)
  }

  /// Between `locate` and open its node became another camera's.
  @Test func aNodeThatAnotherCameraGot() {
    tree.plug("video0", port: "1-1")
    var locator = tree.opened("/dev/video0")
    let identity = locator.identity
    tree.unplug("video0", port: "1-1")
    tree.plug("video0", port: "1-2", product: "0bd1", serial: "9")
    let isSame = locator.recordOpened(tree.root + "/dev/video0")
    #expect(!isSame && locator.identity == identity)
    // One that is like it: its port tells, as soon as both were seen.
    tree.unplug("video0", port: "1-2")
    tree.plug("video0", port: "1-1")
    tree.plug("video1", port: "1-3")
    locator.lookForTwin()
    let isTwin = !locator.recordOpened(tree.root + "/dev/video1")
    let isItself = locator.recordOpened(tree.root + "/dev/video0")
    #expect(locator.hasTwin && isTwin && isItself)
  }

  @Test func numbersThatAreSwapped() {
    tree.plug("video0", port: "1-1", serial: "A")
    tree.plug("video1", port: "1-2", serial: "B")
    let (first, second) = (tree.opened("/dev/video0"), tree.opened("/dev/video1"))
    for (node, port) in [("video0", "1-1"), ("video1", "1-2")] { tree.unplug(node, port: port) }
    tree.plug("video0", port: "1-2", serial: "B")
    tree.plug("video1", port: "1-1", serial: "A")
    #expect(located(first) == "/dev/video1" && located(second) == "/dev/video0")
    #expect(!first.hasTwin && !second.hasTwin)
  }

  /// A camera has nodes for metadata, and may have two sensors.
  @Test func aCamerasOwnNodesAreTold() {
    tree.plug("video0", port: "1-1", interface: "00", index: 0)
    tree.plug("video1", port: "1-1", interface: "00", index: 1)
    tree.plug("video2", port: "1-1", interface: "02", index: 0)
    let locators = (0...2).map { tree.opened("/dev/video\($0)") }
    #expect(locators.allSatisfy { !$0.hasTwin })
    for node in 0...2 { tree.unplug("video\(node)", port: "1-1") }
    tree.plug("video5", port: "1-4", interface: "02", index: 0)
    tree.plug("video6", port: "1-4", interface: "00", index: 1)
    tree.plug("video7", port: "1-4", interface: "00", index: 0)
    #expect(locators.map(located) == ["/dev/video7", "/dev/video6", "/dev/video5"])
  }

  @Test(arguments: [nil, "same"]) func twinsAreToldByTheirPorts(serial: String?) {
    tree.plug("video0", port: "1-1", serial: serial)
    tree.plug("video1", port: "1-2", serial: serial)
    var locator = tree.opened("/dev/video0")
    #expect(locator.hasTwin)
    let number = serial.map { "serial number \($0)" } ?? "no serial number"
    #expect(
      locator.nextWarning()
        == "\(tree.root)/dev/video0: another camera is like this one (046d:0825, \(number), USB port 1-1): it is found"
        + " again only in the same USB port")
    #expect(locator.nextWarning() == nil)
    tree.unplug("video0", port: "1-1")
    #expect(located(locator) == nil)
    tree.plug("video0", port: "1-3", serial: serial)
    #expect(located(locator) == nil)
    tree.plug("video2", port: "1-1", serial: serial)
    #expect(located(locator) == "/dev/video2")
    let isSame = locator.recordOpened(tree.root + "/dev/video2")
    #expect(isSame)
    #expect(locator.nextWarning() == nil)
  }

  @Test func aTwinThatComesLater() {
    tree.plug("video0", port: "1-1")
    var locator = tree.opened("/dev/video0")
    #expect(!locator.hasTwin && locator.nextWarning() == nil)
    tree.plug("video1", port: "1-2")
    locator.lookForTwin()
    #expect(locator.hasTwin && locator.nextWarning() != nil)
    tree.unplug("video0", port: "1-1")
    #expect(located(locator) == nil)
  }

  @Test func aCameraInAnotherPortIsNoTwinOfItself() {
    tree.plug("video0", port: "1-1")
    var locator = tree.opened("/dev/video0")
    tree.unplug("video0", port: "1-1")
    tree.plug("video1", port: "1-2")
    locator.lookForTwin()
    #expect(!locator.hasTwin && located(locator) == "/dev/video1")
  }

  @Test func aTwinThatComesWhileItStreams() throws {
    let driver = ScriptedDriver([.init("MJPG", [(160, 128)])])
    defer { driver.end() }
    let path = tree.root + "/dev/video0"
    tree.plug("video0", port: "1-1")
    driver.plug(at: path)
    driver.pictures = [.init(try TestJPEG.make())]
    let (board, mailbox) = (try Board(), try Mailbox())
    driver.onEnd = { [tree] in
      tree.plug("video1", port: "1-2")
      mailbox.post(.camerasChanged)
      mailbox.post(.stop)
    }
    let settings = try StreamSettings(StreamOptions(Arguments([path, "--to", "127.0.0.1:9"])), camera: 0)
    var loop = try CameraLoop(settings, mailbox: mailbox, board: board)
    loop.locator = CameraLocator(path, paths: tree.paths)
    try loop.run()
    #expect(board.read().controlNotes.filter { $0.contains("another camera is like this one") }.count == 1)
  }

  @Test func aNameIsWhatItLeadsTo() {
    tree.plug("video0", port: "1-1")
    tree.link("/dev/v4l/by-path/usb-1", to: "../../video0")
    tree.link("/dev/cameras/door", to: "../video0")
    let (port, door) = (tree.opened("/dev/v4l/by-path/usb-1"), tree.opened("/dev/cameras/door"))
    tree.unplug("video0", port: "1-1")
    #expect(located(port) == nil && located(door) == nil)
    // Any camera in that port.
    tree.plug("video0", port: "1-1", product: "ffff", serial: nil)
    #expect(located(port) == "/dev/v4l/by-path/usb-1" && located(door) == "/dev/cameras/door")
    // And one that was never there is waited for by its name.
    let later = tree.locator("/dev/v4l/by-id/later")
    #expect(located(later) == nil)
    tree.link("/dev/v4l/by-id/later", to: "../../video0")
    #expect(located(later) == "/dev/v4l/by-id/later")
  }

  /// udev gives the one name by-id to either of two cameras.
  @Test func aNameOfTwinsIsTheOneInItsPort() {
    tree.plug("video0", port: "1-1")
    tree.plug("video1", port: "1-2")
    tree.link("/dev/v4l/by-id/usb-C270", to: "../../video0")
    let locator = tree.opened("/dev/v4l/by-id/usb-C270")
    #expect(locator.hasTwin && located(locator) == "/dev/v4l/by-id/usb-C270")
    unlink(tree.root + "/dev/v4l/by-id/usb-C270")
    tree.link("/dev/v4l/by-id/usb-C270", to: "../../video1")
    #expect(located(locator) == "/dev/video0")
    tree.unplug("video0", port: "1-1")
    #expect(located(locator) == nil)
  }

  @Test func aCameraWithoutUSBIsFoundByItsPlace() {
    for (node, place) in [("video0", "platform/csi.0"), ("video1", "platform/csi.1")] {
      let folder = "/sys/devices/\(place)/video4linux/\(node)"
      var made = tree.root
      for part in folder.split(separator: "/") {
        made += "/" + part
        mkdir(made, 0o755)
      }
      tree.write("0\n", folder + "/index")
      tree.link(folder + "/device", to: tree.root + "/sys/devices/" + place)
      tree.link("/sys/class/video4linux/" + node, to: tree.root + folder)
      tree.write("", "/dev/" + node)
    }
    let locator = tree.opened("/dev/video1")
    #expect(locator.identity?.isUSB == false && !locator.hasTwin && located(locator) == "/dev/video1")
    #expect(locator.identity?.usbNode(in: tree.paths) == nil)
  }

  @Test func withoutSysfsAPathIsAPath() {
    tree.write("", "/dev/video0")
    let locator = tree.opened("/dev/video0")
    #expect(locator.identity == nil && located(locator) == "/dev/video0")
    unlink(tree.root + "/dev/video0")
    #expect(located(locator) == nil)
    #expect(CameraLocator("video").locate() == nil)
  }

  @Test func eventsOfNodesAndTheirLinks() throws {
    var events = try DeviceEvents(nodes: tree.root + "/dev", usesUdev: false)
    #expect(events.origin == "inotify on \(tree.root)/dev" && events.next() == nil)
    tree.plug("video0", port: "1-1")
    tree.write("", "/dev/sda")
    tree.link("/dev/v4l/by-id/usb-C270", to: "../../video0")
    var found: [PathEvent] = []
    while let event = events.next() { found.append(event) }
    #expect(
      found == [.appeared(tree.root + "/dev/video0"), .appeared(tree.root + "/dev/v4l/by-id/usb-C270")])
    tree.unplug("video0", port: "1-1")
    #expect(Epoll.isReadable(events.fileDescriptor) && events.next() == .vanished(tree.root + "/dev/video0"))
  }

  /// With udev or without, here as anywhere.
  @Test func eventsOfThisMachine() throws {
    var events = try DeviceEvents()
    #expect(["udev", "inotify on /dev"].contains(events.origin) && events.fileDescriptor >= 0)
    while events.next() != nil {}
  }

  @Test func aDeviceIsReset() throws {
    let driver = ScriptedDriver()
    defer { driver.end() }
    var error: Int32 = 0
    driver.onCall = { request, _, answer in request == SCRIPTED_USB_RESET ? error : answer() }
    try USBReset.reset(driver.path)
    #expect(driver.calls[SCRIPTED_USB_RESET] == 1)
    func reason() -> String {
      do { try USBReset.reset(driver.path) } catch { return "\(error)" }
      return ""
    }
    error = ENODEV
    #expect(reason() == "USBDEVFS_RESET on \(driver.path): No such device (ENODEV)")
    driver.openError = EACCES
    #expect(
      reason().hasPrefix("open on \(driver.path): Permission denied (EACCES); a camera that hangs cannot be reset: a"))
    driver.openError = ENOENT
    #expect(reason().contains("this container has no /dev/bus/usb"))
  }
}
