import CLinux
import LinuxIO

/// A format as the driver has set it.
public struct Format: Equatable, Sendable {
  public let format: PixelFormat
  public let size: FrameSize
  /// The largest frame, in bytes, as the driver says it.
  public let imageBytes: UInt32
}

extension Device {
  /// VIDIOC_G_FMT.
  public func currentFormat() throws(CaptureError) -> Format {
    var format = v4l2_format()
    format.type = bufferType
    try request("VIDIOC_G_FMT", CLINUX_VIDIOC_G_FMT, &format)
    return read(format)
  }

  /// Sets format and size (VIDIOC_S_FMT) and the rate (VIDIOC_S_PARM).
  /// - Returns: what the driver really gave.
  public func set(_ choice: ModeChoice) throws(CaptureError) -> (format: Format, rate: FrameRate?) {
    var format = v4l2_format()
    format.type = bufferType
    if isMultiPlanar {
      format.fmt.pix_mp.width = choice.size.width
      format.fmt.pix_mp.height = choice.size.height
      format.fmt.pix_mp.pixelformat = choice.format.rawValue
      format.fmt.pix_mp.field = V4L2_FIELD_ANY.rawValue
    } else {
      format.fmt.pix.width = choice.size.width
      format.fmt.pix.height = choice.size.height
      format.fmt.pix.pixelformat = choice.format.rawValue
      format.fmt.pix.field = V4L2_FIELD_ANY.rawValue
    }
    try request("VIDIOC_S_FMT", CLINUX_VIDIOC_S_FMT, &format)
    return (read(format), setRate(choice.rate))
  }

  private func read(_ format: v4l2_format) -> Format {
    if isMultiPlanar {
      let given = format.fmt.pix_mp
      return Format(
        format: PixelFormat(rawValue: given.pixelformat), size: FrameSize(given.width, given.height),
        imageBytes: given.plane_fmt.0.sizeimage)
    }
    let given = format.fmt.pix
    return Format(
      format: PixelFormat(rawValue: given.pixelformat), size: FrameSize(given.width, given.height),
      imageBytes: given.sizeimage)
  }

  /// A driver without rates (ENOTTY, or no V4L2_CAP_TIMEPERFRAME) has none to set: nil.
  private func setRate(_ rate: FrameRate?) -> FrameRate? {
    var parameters = v4l2_streamparm()
    parameters.type = bufferType
    guard descriptor.control(CLINUX_VIDIOC_G_PARM, &parameters) == nil else { return nil }
    if let rate, parameters.parm.capture.capability & UInt32(V4L2_CAP_TIMEPERFRAME) != 0 {
      parameters.parm.capture.timeperframe = v4l2_fract(numerator: rate.denominator, denominator: rate.numerator)
      guard descriptor.control(CLINUX_VIDIOC_S_PARM, &parameters) == nil else { return nil }
    }
    let given = parameters.parm.capture.timeperframe
    return FrameRate(given.denominator, given.numerator)
  }
}
