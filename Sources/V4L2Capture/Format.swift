import CLinux
import LinuxIO

/// A format as the driver has set it.
public struct Format: Equatable, Sendable, CustomStringConvertible {
  public let format: PixelFormat
  public let size: FrameSize
  /// The largest frame, in bytes, as the driver says it.
  public let imageBytes: UInt32
  /// Bytes from line to line, of each of a frame's memories (`Frame.planes`).
  public let strides: [UInt32]
  public let colours: Colorimetry

  public init(
    _ format: PixelFormat, _ size: FrameSize, imageBytes: UInt32, strides: [UInt32], colours: Colorimetry
  ) {
    self.format = format
    self.size = size
    self.imageBytes = imageBytes
    self.strides = strides
    self.colours = colours
  }

  /// Such as `MJPG 1280x720`.
  public var description: String { "\(format) \(size)" }
}

extension Device {
  /// What the driver would set (VIDIOC_TRY_FMT).
  func tryFormat(_ format: PixelFormat, _ size: FrameSize) throws(CaptureError) -> Format {
    var argument = argument(format, size)
    try request("VIDIOC_TRY_FMT", CLINUX_VIDIOC_TRY_FMT, &argument)
    return try read(argument)
  }

  /// Sets format and size (VIDIOC_S_FMT) and the rate (VIDIOC_S_PARM).
  /// - Returns: what the driver really gave.
  public func set(_ choice: ModeChoice) throws(CaptureError) -> (format: Format, rate: FrameRate?) {
    var argument = argument(choice.format, choice.size)
    do throws(CaptureError) { try requestTwice("VIDIOC_S_FMT", CLINUX_VIDIOC_S_FMT, &argument) } catch {
      guard error.cause?.errno == .invalidArgument else { throw error }
      // A driver that refuses progressive video where it should answer with what it has.
      argument = self.argument(choice.format, choice.size, fields: V4L2_FIELD_ANY)
      try requestTwice("VIDIOC_S_FMT", CLINUX_VIDIOC_S_FMT, &argument)
    }
    let format = try read(argument)
    let order = isMultiPlanar ? UInt32(argument.fmt.pix_mp.field) : argument.fmt.pix.field
    if let fields = Self.unusable(order, format.format) {
      throw CaptureError(
        path,
        "its driver gives interlaced video as \(fields), which is not put together here: have its source "
          + "send progressive video, or take another --input, --format or --size")
    }
    return (format, setRate(choice.rate))
  }

  /// How a frame's lines are ordered (V4L2's "field order"), where that makes no picture; nil where it does. JPEGs may have
  /// two fields in one buffer: they are put together later.
  private static func unusable(_ order: UInt32, _ format: PixelFormat) -> String? {
    switch v4l2_field(order) {
    case V4L2_FIELD_SEQ_TB where !PixelFormat.sendable.contains(format):
      "one field after the other (V4L2_FIELD_SEQ_TB)"
    case V4L2_FIELD_SEQ_BT where !PixelFormat.sendable.contains(format):
      "one field after the other (V4L2_FIELD_SEQ_BT)"
    case V4L2_FIELD_ALTERNATE: "a field in each buffer (V4L2_FIELD_ALTERNATE)"
    default: nil
    }
  }

  /// - Parameter fields: the order of a frame's lines; progressive, where it can.
  private func argument(
    _ format: PixelFormat, _ size: FrameSize, fields: v4l2_field = V4L2_FIELD_NONE
  ) -> v4l2_format {
    var argument = v4l2_format()
    argument.type = bufferType
    if isMultiPlanar {
      argument.fmt.pix_mp.width = size.width
      argument.fmt.pix_mp.height = size.height
      argument.fmt.pix_mp.pixelformat = format.rawValue
      argument.fmt.pix_mp.field = fields.rawValue
    } else {
      argument.fmt.pix.width = size.width
      argument.fmt.pix.height = size.height
      argument.fmt.pix.pixelformat = format.rawValue
      argument.fmt.pix.field = fields.rawValue
      // Its fields behind `priv` are meant: colours.
      argument.fmt.pix.priv = UInt32(V4L2_PIX_FMT_PRIV_MAGIC)
    }
    return argument
  }

  private func read(_ argument: v4l2_format) throws(CaptureError) -> Format {
    let format = isMultiPlanar ? Format(argument.fmt.pix_mp) : Format(argument.fmt.pix)
    guard format.size.isPossible else { throw CaptureError(path, "its driver set a size of \(format.size)") }
    return format
  }

  /// A driver without rates (ENOTTY, or no V4L2_CAP_TIMEPERFRAME) has none to set: nil.
  private func setRate(_ rate: FrameRate?) -> FrameRate? {
    var parameters = v4l2_streamparm()
    parameters.type = bufferType
    guard descriptor.control(CLINUX_VIDIOC_G_PARM, &parameters) == nil else { return nil }
    if let rate, parameters.parm.capture.capability & UInt32(V4L2_CAP_TIMEPERFRAME) != 0 {
      parameters.parm.capture.timeperframe = v4l2_fract(numerator: rate.denominator, denominator: rate.numerator)
      // What it did not set, it has as it was.
      _ = descriptor.control(CLINUX_VIDIOC_S_PARM, &parameters)
      guard descriptor.control(CLINUX_VIDIOC_G_PARM, &parameters) == nil else { return nil }
    }
    let given = parameters.parm.capture.timeperframe
    return FrameRate(given.denominator, given.numerator)
  }
}

extension Format {
  init(_ given: v4l2_pix_format) {
    format = PixelFormat(rawValue: given.pixelformat)
    size = FrameSize(given.width, given.height)
    imageBytes = given.sizeimage
    strides = [given.bytesperline]
    colours = Colorimetry(
      space: given.colorspace, encoding: given.ycbcr_enc, quantization: given.quantization,
      isFullByDefault: format.isFullByDefault)
  }

  init(_ given: v4l2_pix_format_mplane) {
    format = PixelFormat(rawValue: given.pixelformat)
    size = FrameSize(given.width, given.height)
    let planes = withUnsafeBytes(of: given.plane_fmt) { bytes in
      Array(bytes.bindMemory(to: v4l2_plane_pix_format.self).prefix(Int(max(1, given.num_planes))))
    }
    imageBytes = planes.reduce(0) { $0 &+ $1.sizeimage }
    strides = planes.map(\.bytesperline)
    colours = Colorimetry(
      space: given.colorspace, encoding: UInt32(given.ycbcr_enc), quantization: UInt32(given.quantization),
      isFullByDefault: format.isFullByDefault)
  }
}
