import CLinux

/// What a driver says the numbers of its raw pictures mean.
public struct Colorimetry: Equatable, Sendable {
  /// How Y, Cb and Cr are made of red, green and blue (ITU-R BT.601, BT.709, BT.2020; SMPTE 240M).
  public enum Encoding: Sendable { case bt601, bt709, bt2020, smpte240m }

  public let encoding: Encoding
  /// Black and white are 0 and 255, not 16 and 235.
  public let isFullRange: Bool

  public init(_ encoding: Encoding, isFullRange: Bool) {
    self.encoding = encoding
    self.isFullRange = isFullRange
  }

  /// By struct v4l2_pix_format's fields. What is left to the default follows from the colour space, as videodev2.h's
  /// V4L2_MAP_*_DEFAULT have it; a capture device that names none is taken for sRGB.
  init(space: UInt32, encoding: UInt32, quantization: UInt32, isFullByDefault: Bool) {
    let mapped =
      switch space {
      case V4L2_COLORSPACE_REC709.rawValue, V4L2_COLORSPACE_DCI_P3.rawValue: V4L2_YCBCR_ENC_709.rawValue
      case V4L2_COLORSPACE_BT2020.rawValue: V4L2_YCBCR_ENC_BT2020.rawValue
      case V4L2_COLORSPACE_SMPTE240M.rawValue: V4L2_YCBCR_ENC_SMPTE240M.rawValue
      default: V4L2_YCBCR_ENC_601.rawValue
      }
    self.encoding =
      switch encoding == V4L2_YCBCR_ENC_DEFAULT.rawValue ? mapped : encoding {
      case V4L2_YCBCR_ENC_709.rawValue, V4L2_YCBCR_ENC_XV709.rawValue: .bt709
      case V4L2_YCBCR_ENC_BT2020.rawValue, V4L2_YCBCR_ENC_BT2020_CONST_LUM.rawValue: .bt2020
      case V4L2_YCBCR_ENC_SMPTE240M.rawValue: .smpte240m
      default: .bt601
      }
    isFullRange =
      switch quantization {
      case V4L2_QUANTIZATION_FULL_RANGE.rawValue: true
      case V4L2_QUANTIZATION_LIM_RANGE.rawValue: false
      default: isFullByDefault || space == V4L2_COLORSPACE_JPEG.rawValue
      }
  }
}
