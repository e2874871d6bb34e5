import CLinux

/// A format of pictures by its four characters (V4L2's fourcc).
public struct PixelFormat: RawRepresentable, Equatable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// By its four characters.
  public init(_ characters: StaticString) {
    rawValue = characters.withUTF8Buffer { $0.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) } }
  }

  /// Motion-JPEG: what UVC cameras give.
  public static let mjpeg = PixelFormat(rawValue: CLINUX_V4L2_PIX_FMT_MJPEG)
  /// JPEG: the same, by another name in some drivers.
  public static let jpeg = PixelFormat(rawValue: CLINUX_V4L2_PIX_FMT_JPEG)

  /// Those whose frames are sent as they are.
  public static let sendable = [mjpeg, jpeg]

  /// Whether frames of both are the same bytes: drivers call JPEGs by either name.
  public func isLike(_ other: PixelFormat) -> Bool {
    self == other || Self.sendable.contains(self) && Self.sendable.contains(other)
  }

  /// Raw ones that are encoded here.
  public static let raw: [PixelFormat] = yuv + rgb + [grey]
  /// Those that libv4lconvert 1.22 knows beside them (its `supported_src_pixfmts`).
  public static let convertible: [PixelFormat] = convertibleToYUV + convertibleToRGB + convertibleToGrey

  private static let grey = PixelFormat("GREY")

  private static let yuv = [
    "YU12", "YV12", "YM12", "YM21", "NV12", "NV21", "NM12", "NM21", "422P", "YM16", "YM61", "NV16", "NV61", "NM16",
    "NM61", "YUYV", "UYVY", "YVYU", "VYUY", "NV24", "NV42", "YM24", "YM42", "444P", "YU24", "YV24", "P010", "P012",
  ].map { PixelFormat($0) }

  private static let rgb = [
    "RGB3", "BGR3", "XB24", "XR24", "BX24", "RX24", "AB24", "AR24", "BA24", "RA24", "RGB4", "BGR4",
  ].map { PixelFormat($0) }

  private static let convertibleToYUV = [
    "M420", "HM12", "S501", "S505", "S508", "CITV", "KONI", "S920", "CPIA", "PJPG", "JPGL",
  ].map { PixelFormat($0) }

  private static let convertibleToRGB = [
    "RGBP", "HSV3", "HSV4", "BA81", "GBRG", "GRBG", "RGGB", "pBAA", "pGAA", "pgAA", "pRAA", "BG10", "GB10", "BA10",
    "RG10", "BYR2", "GB16", "GR16", "RG16", "S680", "S561", "S910", "SONX", "P207", "M310", "905C", "S401",
  ].map { PixelFormat($0) }

  private static let convertibleToGrey = ["Y16 ", "Y10B", "Y04 ", "Y06 "].map { PixelFormat($0) }

  /// All that can be sent, the cheapest first; those without colour are the last.
  private static let order: [PixelFormat] =
    sendable + yuv + rgb + convertibleToYUV + convertibleToRGB + [grey] + convertibleToGrey

  /// It is made of red, green and blue, or of hue and saturation.
  public var isRGB: Bool { (Self.rgb + Self.convertibleToRGB).contains(self) }

  /// Its samples go from 0 to 255 unless the driver says otherwise: so do those without colour, as v4l2-ctl has it.
  var isFullByDefault: Bool { isRGB || ([Self.grey] + Self.convertibleToGrey).contains(self) }

  /// How dear it is to send: a place in the order. nil: it can't be sent.
  public var cost: Int? { Self.order.firstIndex(of: self) }

  /// By a name as `--format` takes it: FFmpeg's or GStreamer's, or a fourcc in any case, such as `YUYV`.
  public init?(name: String) {
    let lower = name.lowercased()
    if let format = Self.names[lower] {
      self = format
      return
    }
    let code = Array(name.utf8)
    guard (3...4).contains(code.count), code.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
    let padded = code + (code.count == 3 ? [UInt8(ascii: " ")] : [])
    let exact = PixelFormat(rawValue: padded.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    self = exact.cost == nil ? Self.known(lower) ?? exact.upper : exact
  }

  private static func known(_ lower: String) -> PixelFormat? {
    order.first { $0.description.lowercased() == lower }
  }

  private var upper: PixelFormat {
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: rawValue >> (8 * $0)) }
    let upper = bytes.map { (97...122).contains($0) ? $0 - 32 : $0 }
    return PixelFormat(rawValue: upper.reversed().reduce(0) { $0 << 8 | UInt32($1) })
  }

  private static let names: [String: PixelFormat] = [

    "mjpeg": mjpeg, "mjpg": mjpeg, "jpeg": jpeg, "yuyv422": PixelFormat("YUYV"), "yuy2": PixelFormat("YUYV"),
    "uyvy422": PixelFormat("UYVY"), "yuv420": PixelFormat("YU12"), "yuv420p": PixelFormat("YU12"),
    "i420": PixelFormat("YU12"), "yuv422p": PixelFormat("422P"), "yuv444p": PixelFormat("YM24"),
    "y444": PixelFormat("YM24"),
    "p010le": PixelFormat("P010"), "p010_10le": PixelFormat("P010"), "gray": PixelFormat("GREY"),
    "y8": PixelFormat("GREY"),
    "rgb24": PixelFormat("RGB3"), "rgb": PixelFormat("RGB3"), "bgr24": PixelFormat("BGR3"), "bgr": PixelFormat("BGR3"),
  ]

  /// The four characters, without the spaces at their end and big-endian's bit 31.
  public var description: String {
    let bytes = (0..<4).map { UInt8(rawValue >> (8 * $0) & 0x7F) }
    var text = bytes.map { $0 > 32 && $0 < 127 ? String(UnicodeScalar($0)) : " " }.joined()
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
