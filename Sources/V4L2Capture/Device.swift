import CLinux
import Glibc
import LinuxIO

/// A V4L2 capture device.
public struct Device: ~Copyable {
  /// The path it was opened by.
  public let path: String
  /// VIDIOC_QUERYCAP's words: the product's name.
  public let card: String
  /// The driver's name, such as `uvcvideo`.
  public let driver: String
  /// Where it is plugged in, such as `usb-0000:01:00.0-1.2`.
  public let bus: String
  /// It takes pictures from programs, too: another one feeds it (v4l2loopback).
  public let isFed: Bool
  /// Its buffers may have several planes.
  public let isMultiPlanar: Bool
  let descriptor: FileDescriptor

  /// Opens a device and asks whether it captures (VIDIOC_QUERYCAP).
  public init(opening path: String) throws(CaptureError) {
    switch File.kind(of: path) {
    case .characterDevice: break
    case nil: throw CaptureError(absent: path)
    default: throw CaptureError(path, "it is no video device; 'streamer list' shows the cameras")
    }
    let descriptor: FileDescriptor
    do throws(SystemCallError) {
      descriptor = try FileDescriptor(opening: path, flags: O_RDWR | O_NONBLOCK)
    } catch {
      throw CaptureError(error.withRemedy(Self.remedy(opening: error.errno)))
    }
    var capability = v4l2_capability()
    if let errno = descriptor.control(CLINUX_VIDIOC_QUERYCAP, &capability) {
      throw CaptureError(
        SystemCallError(
          "VIDIOC_QUERYCAP", on: path, errno,
          remedy: errno == .notTTY ? "it is no video device; 'streamer list' shows the cameras" : nil))
    }
    // device_caps speaks of this node; capabilities of the whole device, which may have others.
    let capabilities =
      capability.capabilities & UInt32(V4L2_CAP_DEVICE_CAPS) != 0
      ? capability.device_caps : capability.capabilities
    let isSinglePlanar = capabilities & UInt32(V4L2_CAP_VIDEO_CAPTURE) != 0
    let isMultiPlanar = capabilities & UInt32(V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0
    if Self.isPart(capabilities, driver: withUnsafeBytes(of: capability.driver) { String(field: $0) }) {
      throw CaptureError(part: path)
    }
    let takesPictures = capabilities & UInt32(V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE) != 0
    guard isSinglePlanar || isMultiPlanar else { throw CaptureError(path, Self.noCapture(capabilities)) }
    guard capabilities & UInt32(V4L2_CAP_STREAMING) != 0 else {
      throw CaptureError(
        path, "its driver has no streaming I/O (V4L2_CAP_STREAMING), which is needed to map its buffers")
    }
    self.path = path
    self.descriptor = descriptor
    self.isMultiPlanar = !isSinglePlanar
    isFed = takesPictures
    card = withUnsafeBytes(of: capability.card) { String(field: $0) }
    driver = withUnsafeBytes(of: capability.driver) { String(field: $0) }
    bus = withUnsafeBytes(of: capability.bus_info) { String(field: $0) }
  }

  /// Whether a node is no camera of its own: the media controller sets its format (a CSI receiver, an image signal
  /// processor), or it converts what a program feeds it (a codec).
  private static func isPart(_ capabilities: UInt32, driver: String) -> Bool {
    let partial = UInt32(V4L2_CAP_IO_MC) | UInt32(V4L2_CAP_VIDEO_M2M) | UInt32(V4L2_CAP_VIDEO_M2M_MPLANE)
    return capabilities & partial != 0 || processors.contains(driver)
  }

  /// Drivers whose nodes do not say so: the image signal processors of Raspberry Pis.
  private static let processors = ["bcm2835-isp", "pispbe"]

  /// Why a node gives no pictures. v4l2loopback with exclusive_caps=1 is an output as long as nobody feeds it, and once a
  /// program that only wrote has left, it is nothing at all.
  private static func noCapture(_ capabilities: UInt32) -> String {
    let output = UInt32(V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE)
    let access = UInt32(V4L2_CAP_STREAMING | V4L2_CAP_READWRITE | V4L2_CAP_EXT_PIX_FORMAT) | V4L2_CAP_DEVICE_CAPS
    guard capabilities & output != 0 || capabilities & ~access == 0 else {
      return "it does not capture video (a camera's metadata node?); 'streamer list' shows the cameras"
    }
    return "it gives no pictures now: a loopback device that no program feeds (\(feedRemedy)), or a video output;"
      + " 'streamer list' shows the cameras"
  }

  /// What to do about a loopback device without pictures.
  public static let feedRemedy = "start the program that feeds it, before this one"

  /// For epoll: readable when a frame is done.
  public var number: Int32 { descriptor.number }

  var bufferType: UInt32 {
    isMultiPlanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE.rawValue : V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
  }

  /// One ioctl whose failure is an error.
  func request<Argument>(
    _ name: String, _ code: UInt, _ argument: inout Argument
  ) throws(CaptureError) {
    if let errno = descriptor.control(code, &argument) { throw failure(name, errno) }
  }

  /// As `request`, but tried once more where a camera that was just plugged in, or just stopped, may need a moment.
  func requestTwice<Argument>(
    _ name: String, _ code: UInt, _ argument: inout Argument
  ) throws(CaptureError) {
    var attempt = argument
    guard let errno = descriptor.control(code, &attempt) else {
      argument = attempt
      return
    }
    guard Self.passing.contains(errno) else { throw failure(name, errno) }
    Clock.sleep(nanoseconds: 100_000_000)
    try request(name, code, &argument)
  }

  func failure(_ name: String, _ errno: Errno) -> CaptureError {
    CaptureError(SystemCallError(name, on: path, errno, remedy: Self.remedy(errno)))
  }

  /// What a transfer over USB fails with when the camera does not answer in time, or wrongly.
  fileprivate static let passing: [Errno] = [.inputOutput, .protocolError, .brokenPipe, .timedOut]

  /// What to do where a device cannot be opened. The file's owner and mode give EACCES; EPERM, which root gets, too, is of a
  /// cgroup's list of devices.
  public static func remedy(opening errno: Errno) -> String? {
    switch errno {
    case .accessDenied: "add the user to the group 'video' (sudo usermod -aG video $USER), and log in again"
    case .notPermitted:
      "this container or service may not use the device: start the container with '--device' and its path, or give the"
        + " systemd unit 'DeviceAllow=char-video4linux rw'"
    default: remedy(errno)
    }
  }

  static func remedy(_ errno: Errno) -> String? {
    switch errno {
    case .busy: "another program has it open (fuser -v shows which)"
    case .noDevice: "it was unplugged"
    case .inputOutput: "the camera or its cable failed: plug it in again, into a port of its own"
    default: nil
    }
  }
}

/// Why a camera can't be used.
public struct CaptureError: Error, CustomStringConvertible {
  /// The call that failed, where it was one.
  public let cause: SystemCallError?
  public let description: String

  /// The device is no camera of its own.
  public let isPart: Bool
  /// There is no such device.
  public let isAbsent: Bool

  init(_ path: String, _ reason: String) {
    self.init(cause: nil, "\(path): \(reason)")
  }

  /// - Parameter path: of a device that is part of a camera of libcamera's.
  init(part path: String) {
    self.init(
      cause: nil, "\(path): it is part of a libcamera camera: use libcamera:0; 'streamer list' shows the cameras",
      isPart: true)
  }

  init(absent path: String) {
    self.init(
      cause: nil, "\(path): there is no such device; 'streamer list' shows the cameras", isAbsent: true)
  }

  private init(cause: SystemCallError?, _ description: String, isPart: Bool = false, isAbsent: Bool = false) {
    self.cause = cause
    self.description = description
    self.isPart = isPart
    self.isAbsent = isAbsent
  }

  init(_ cause: SystemCallError) {
    self.init(cause: cause, cause.description)
  }

  /// Another mode may work where this one failed: the driver refuses its numbers, or the camera does not take it.
  public var refusesMode: Bool {
    guard let errno = cause?.errno else { return true }
    return errno == .invalidArgument || Device.passing.contains(errno)
  }
}
