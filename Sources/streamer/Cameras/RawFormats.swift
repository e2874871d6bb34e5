import JPEGCodec
import V4L2Capture

extension RawLayout {
  /// Where the planes of a driver's pictures lie (the kernel's "Image Formats"); nil for formats that are not encoded
  /// here.
  init?(_ format: Format) {
    guard let (raw, isSwapped) = Self.formats[format.format.description] else { return nil }
    let (width, height) = (Int(format.size.width), Int(format.size.height))
    if format.strides.count > 1 {
      self.init(raw, width: width, height: height, strides: format.strides.map { Int($0) }, isSwapped: isSwapped)
    } else {
      self.init(raw, width: width, height: height, stride: Int(format.strides.first ?? 0), isSwapped: isSwapped)
    }
  }

  /// Whether pictures of that format are encoded here.
  static func takes(_ format: PixelFormat) -> Bool { formats[format.description] != nil }

  /// By fourcc; whether the plane of Cr comes before that of Cb.
  private static let formats: [String: (RawFormat, Bool)] = [
    "YU12": (.yuv420, false), "YV12": (.yuv420, true), "YM12": (.yuv420, false), "YM21": (.yuv420, true),
    "NV24": (.nv24, false), "NV42": (.nv42, false), "YM24": (.yuv444, false), "YM42": (.yuv444, true),
    "444P": (.yuv444, false), "YU24": (.yuv444, false), "YV24": (.yuv444, true), "P010": (.p010, false),
    "P012": (.p010, false), "422P": (.yuv422, false), "YM16": (.yuv422, false), "YM61": (.yuv422, true),
    "NV12": (.nv12, false),
    "NV21": (.nv21, false), "NM12": (.nv12, false), "NM21": (.nv21, false), "NV16": (.nv16, false),
    "NV61": (.nv61, false), "NM16": (.nv16, false), "NM61": (.nv61, false), "YUYV": (.yuyv, false),
    "YVYU": (.yvyu, false), "UYVY": (.uyvy, false), "VYUY": (.vyuy, false), "GREY": (.grey, false),
    "RGB3": (.rgb(.rgb), false), "BGR3": (.rgb(.bgr), false), "XB24": (.rgb(.rgbx), false),
    "AB24": (.rgb(.rgbx), false), "XR24": (.rgb(.bgrx), false), "AR24": (.rgb(.bgrx), false),
    "BGR4": (.rgb(.bgrx), false), "BX24": (.rgb(.xrgb), false), "BA24": (.rgb(.xrgb), false),
    "RGB4": (.rgb(.xrgb), false), "RX24": (.rgb(.xbgr), false), "RA24": (.rgb(.xbgr), false),
  ]
}

extension Colour {
  init(_ colours: Colorimetry) {
    let matrix: Matrix =
      switch colours.encoding {
      case .bt601: .bt601
      case .bt709: .bt709
      case .bt2020: .bt2020
      case .smpte240m: .smpte240m
      }
    self.init(colours.isFullRange ? .full : .limited, matrix)
  }
}
