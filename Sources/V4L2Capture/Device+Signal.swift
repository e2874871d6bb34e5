import CLinux
import LinuxIO

/// What comes in at a capture device's input.
public enum Signal: Equatable, Sendable {
  /// A picture.
  /// - Parameter timings: nil where the input has no DV timings: a camera, an analog input.
  case present(timings: VideoTimings?)
  /// Nothing is connected, or it is off.
  case missing
  /// Something is there, but the receiver does not lock on to it.
  case unstable
  /// Its timings are beyond what the device takes.
  case unsupported

  public var isPresent: Bool { if case .present = self { true } else { false } }
}

/// Nothing can be captured of what comes in at a device's input.
public struct NoSignal: Error, Equatable, CustomStringConvertible {
  public let description: String

  /// nil where the signal is present.
  /// - Parameter path: of the device.
  public init?(_ signal: Signal, at path: String) {
    switch signal {
    case .present: return nil
    case .missing: description = "\(path): nothing comes in at its input"
    case .unstable: description = "\(path): what comes in at its input is not stable"
    case .unsupported: description = "\(path): what comes in at its input is not what it can capture"
    }
  }
}

/// Size and rate of a digital signal (struct v4l2_dv_timings).
public struct VideoTimings: Equatable, Sendable, CustomStringConvertible {
  public let size: FrameSize
  /// nil where the driver reports none that can be.
  public let rate: FrameRate?
  public let isInterlaced: Bool

  /// nil where no picture has this size.
  init?(_ timings: v4l2_dv_timings) {
    var timings = timings
    let read = clinux_read_timings(&timings)
    size = FrameSize(read.width, read.height)
    guard read.type == UInt32(V4L2_DV_BT_656_1120), size.isPossible else { return nil }
    isInterlaced = read.is_interlaced != 0
    rate = Self.rate(read)
  }

  public init(size: FrameSize, rate: FrameRate?, isInterlaced: Bool = false) {
    self.size = size
    self.rate = rate
    self.isInterlaced = isInterlaced
  }

  private static func rate(_ read: clinux_video_timings) -> FrameRate? {
    let pixels = UInt64(read.total_width) * UInt64(read.total_height)
    guard let clock = UInt32(exactly: read.pixel_clock), let pixels = UInt32(exactly: pixels) else { return nil }
    return FrameRate(clock, pixels)
  }

  /// Such as `1920x1080 at 60 fps`.
  public var description: String {
    "\(size)\(isInterlaced ? " interlaced" : "")" + (rate.map { " at \($0) fps" } ?? "")
  }
}

extension Device {
  /// Finds out what comes in at the current input: by its DV timings (VIDIOC_QUERY_DV_TIMINGS), or by its status
  /// (VIDIOC_ENUMINPUT).
  public func detectSignal() throws(CaptureError) -> Signal {
    let input = currentInput()
    guard input?.hasTimings ?? false else { return Self.signal(status: input?.status ?? 0) }
    var timings = v4l2_dv_timings()
    return try query(&timings)
  }

  /// As `detectSignal`, and has the device capture with the timings of the signal (VIDIOC_S_DV_TIMINGS), where it has some.
  /// Must be called before the format is set, and not while buffers are allocated.
  public func adoptSignal() throws(CaptureError) -> Signal {
    let input = currentInput()
    guard input?.hasTimings ?? false else { return Self.signal(status: input?.status ?? 0) }
    var timings = v4l2_dv_timings()
    let signal = try query(&timings)
    guard signal.isPresent else { return signal }
    var current = v4l2_dv_timings()
    // Setting them again would set the format back in some drivers.
    let isSet =
      descriptor.control(CLINUX_VIDIOC_G_DV_TIMINGS, &current) == nil && VideoTimings(current) == VideoTimings(timings)
    guard !isSet, let errno = descriptor.control(CLINUX_VIDIOC_S_DV_TIMINGS, &timings) else { return signal }
    // A driver may detect what it does not capture.
    if errno == .invalidArgument || errno == .outOfRange { return .unsupported }
    throw failure("VIDIOC_S_DV_TIMINGS", errno)
  }

  private func query(_ timings: inout v4l2_dv_timings) throws(CaptureError) -> Signal {
    switch descriptor.control(CLINUX_VIDIOC_QUERY_DV_TIMINGS, &timings) {
    case nil: return VideoTimings(timings).map { .present(timings: $0) } ?? .unsupported
    case .noLink: return .missing
    case .noLock: return .unstable
    case .outOfRange: return .unsupported
    // Timings cannot be queried: those that are set are used.
    case .notTTY, .noData: return .present(timings: nil)
    case let errno?: throw failure("VIDIOC_QUERY_DV_TIMINGS", errno)
    }
  }

  private static func signal(status: UInt32) -> Signal {
    if status & UInt32(V4L2_IN_ST_NO_POWER | V4L2_IN_ST_NO_SIGNAL) != 0 { return .missing }
    return status & UInt32(V4L2_IN_ST_NO_H_LOCK | V4L2_IN_ST_NO_SYNC) != 0 ? .unstable : .present(timings: nil)
  }
}
