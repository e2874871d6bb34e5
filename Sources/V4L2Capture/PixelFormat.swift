import CLinux

/// A format of pictures by its four characters (V4L2's fourcc).
public struct PixelFormat: RawRepresentable, Equatable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Motion-JPEG: what UVC cameras give.
  public static let mjpeg = PixelFormat(rawValue: CLINUX_V4L2_PIX_FMT_MJPEG)
  /// JPEG: the same, by another name in some drivers.
  public static let jpeg = PixelFormat(rawValue: CLINUX_V4L2_PIX_FMT_JPEG)

  /// Those whose frames are sent as they are.
  public static let sendable = [mjpeg, jpeg]

  /// By a name as `--format` takes it: `mjpeg`, `jpeg`, or a fourcc in any case, such as `YUYV`.
  public init?(name: String) {
    switch name.lowercased() {
    case "mjpeg", "mjpg": self = .mjpeg
    case "jpeg": self = .jpeg
    default:
      let code = Array(name.uppercased().utf8)
      guard (3...4).contains(code.count) else { return nil }
      let padded = code + (code.count == 3 ? [UInt8(ascii: " ")] : [])
      rawValue = padded.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
  }

  /// The four characters, without the spaces at their end and big-endian's bit 31.
  public var description: String {
    let bytes = (0..<4).map { UInt8(rawValue >> (8 * $0) & 0x7F) }
    var text = bytes.map { $0 > 32 && $0 < 127 ? String(UnicodeScalar($0)) : " " }.joined()
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
