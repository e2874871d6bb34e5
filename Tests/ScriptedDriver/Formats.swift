import CLinux
import CScriptedDriver
import Glibc

extension ScriptedDriver {
  static func code(_ format: String) -> UInt32 {
    Array(format.utf8).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Bytes of a line and of the whole of each of a frame's memories, as good drivers have them.
  static func planes(_ code: UInt32, _ width: UInt32, _ height: UInt32) -> [(line: UInt32, bytes: UInt32)] {
    let format = withUnsafeBytes(of: code) { String(decoding: $0, as: UTF8.self) }
    let (pixels, half) = (width &* height, (width &+ 1) / 2 &* ((height &+ 1) / 2))
    switch format {
    case "MJPG", "JPEG": return [(0, pixels &* 2 &+ 65_536)]
    case "GREY": return [(width, pixels)]
    case "YU12", "YV12", "NV12", "NV21": return [(width, pixels &+ 2 &* half)]
    case "NV16", "NV61", "422P": return [(width, pixels &* 2)]
    case "NV24", "NV42", "444P", "YU24", "YV24": return [(width, pixels &* 3)]
    case "RGB3", "BGR3": return [(width &* 3, pixels &* 3)]
    case "P010", "P012": return [(width &* 2, pixels &* 2 &+ 4 &* half)]
    case "NM12", "NM21": return [(width, pixels), (width, 2 &* half)]
    case "YM12", "YM21": return [(width, pixels), ((width &+ 1) / 2, half), ((width &+ 1) / 2, half)]
    case "YM24", "YM42": return [(width, pixels), (width, pixels), (width, pixels)]
    case "YUYV", "UYVY", "YVYU", "VYUY": return [(width &* 2, pixels &* 2)]
    default: return [(width &* 4, pixels &* 4)]
    }
  }

  private func mode(_ code: UInt32) -> Mode? { modes.first { Self.code($0.format) == code } }

  func nextFormat(_ entry: inout v4l2_fmtdesc) -> Int32 {
    guard entry.index < modes.count else { return EINVAL }
    entry.pixelformat = Self.code(modes[Int(entry.index)].format)
    return 0
  }

  func nextSize(_ entry: inout v4l2_frmsizeenum) -> Int32 {
    guard let mode = mode(entry.pixel_format), entry.index < mode.sizes.count else { return EINVAL }
    let size = mode.sizes[Int(entry.index)]
    entry.type = V4L2_FRMSIZE_TYPE_DISCRETE.rawValue
    entry.discrete = v4l2_frmsize_discrete(width: size.width, height: size.height)
    return 0
  }

  func nextInterval(_ entry: inout v4l2_frmivalenum) -> Int32 {
    guard let mode = mode(entry.pixel_format), entry.index < mode.intervals.count else { return EINVAL }
    let interval = mode.intervals[Int(entry.index)]
    entry.type = V4L2_FRMIVAL_TYPE_DISCRETE.rawValue
    entry.discrete = v4l2_fract(numerator: interval.numerator, denominator: interval.denominator)
    return 0
  }

  func getFormat(_ given: inout v4l2_format) -> Int32 {
    if format.type == 0 {
      format.type = given.type
      _ = tryFormat(&format)
    }
    given = format
    return 0
  }

  /// What was asked for, where that is one of its modes; else the nearest, or the first.
  func tryFormat(_ given: inout v4l2_format) -> Int32 {
    let isMultiPlanar = given.type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE.rawValue
    guard isMultiPlanar == self.isMultiPlanar, let first = modes.first else { return EINVAL }
    let code = isMultiPlanar ? given.fmt.pix_mp.pixelformat : given.fmt.pix.pixelformat
    let (width, height) =
      isMultiPlanar
      ? (given.fmt.pix_mp.width, given.fmt.pix_mp.height) : (given.fmt.pix.width, given.fmt.pix.height)
    let mode = mode(code) ?? first
    let size = mode.sizes.first { $0.width == width && $0.height == height } ?? mode.sizes.first ?? (width, height)
    fill(&given, Self.code(mode.format), size.width, size.height)
    return 0
  }

  /// Writes a format as a driver that has set it does.
  public func fill(_ given: inout v4l2_format, _ code: UInt32, _ width: UInt32, _ height: UInt32) {
    let planes = Self.planes(code, width, height)
    guard isMultiPlanar else {
      given.fmt.pix.pixelformat = code
      (given.fmt.pix.width, given.fmt.pix.height) = (width, height)
      given.fmt.pix.field = V4L2_FIELD_NONE.rawValue
      (given.fmt.pix.bytesperline, given.fmt.pix.sizeimage) = planes.first ?? (0, 0)
      given.fmt.pix.colorspace = V4L2_COLORSPACE_SRGB.rawValue
      return
    }
    given.fmt.pix_mp.pixelformat = code
    (given.fmt.pix_mp.width, given.fmt.pix_mp.height) = (width, height)
    given.fmt.pix_mp.field = V4L2_FIELD_NONE.rawValue
    given.fmt.pix_mp.num_planes = UInt8(planes.count)
    given.fmt.pix_mp.colorspace = V4L2_COLORSPACE_SRGB.rawValue
    withUnsafeMutableBytes(of: &given.fmt.pix_mp.plane_fmt) { room in
      let room = room.bindMemory(to: v4l2_plane_pix_format.self)
      for (index, plane) in planes.enumerated() {
        room[index] = v4l2_plane_pix_format()
        (room[index].bytesperline, room[index].sizeimage) = plane
      }
    }
  }

  /// Sets a format by its four characters, for `onCall`.
  public func fill(_ given: UnsafeMutableRawPointer, _ format: String, _ width: UInt32, _ height: UInt32) {
    fill(&given.assumingMemoryBound(to: v4l2_format.self).pointee, Self.code(format), width, height)
  }

  func setFormat(_ given: inout v4l2_format) -> Int32 {
    guard buffers.isEmpty else { return EBUSY }
    let error = tryFormat(&given)
    if error == 0 { format = given }
    return error
  }

  func parameters(_ given: inout v4l2_streamparm, sets: Bool) -> Int32 {
    if sets { interval = given.parm.capture.timeperframe }
    given.parm.capture.capability = UInt32(V4L2_CAP_TIMEPERFRAME)
    given.parm.capture.timeperframe = interval
    return 0
  }
}
