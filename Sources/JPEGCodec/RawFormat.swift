/// How the samples of a raw picture follow each other.
public enum RawFormat: Sendable, Equatable {
  /// Planes of Y, Cb and Cr; colour has half the width, and half the height or all of it.
  case yuv420, yuv422
  /// The same; colour has all of both.
  case yuv444
  /// A plane of Y, and one of Cb and Cr in turn (`nv12`, `nv16`) or of Cr and Cb (`nv21`, `nv61`).
  case nv12, nv21, nv16, nv61
  /// The same; colour has all of the width and of the height.
  case nv24, nv42
  /// As `nv12`, with two bytes a sample, the lower one first: the upper bits are the sample (10 of P010, 12 of P012).
  case p010
  /// One plane: two pixels in four bytes, which share their colour.
  case yuyv, yvyu, uyvy, vyuy
  /// A plane of Y.
  case grey
  /// One plane of three or four bytes a pixel.
  case rgb(ByteOrder)

  /// The bytes of a pixel; `x` stands for one that means nothing.
  public enum ByteOrder: Sendable, Equatable { case rgb, bgr, rgbx, bgrx, xrgb, xbgr }

  /// How many planes it has.
  public var planeCount: Int {
    switch self {
    case .yuv420, .yuv422, .yuv444: 3
    case .nv12, .nv21, .nv16, .nv61, .nv24, .nv42, .p010: 2
    default: 1
    }
  }

  /// Lines of the picture that share one of colour.
  var linesPerChroma: Int {
    switch self {
    case .yuv420, .nv12, .nv21, .p010: 2
    default: 1
    }
  }

  /// Cr comes before Cb.
  var isSwapped: Bool {
    switch self {
    case .nv21, .nv61, .nv42, .yvyu, .vyuy: true
    default: false
    }
  }

  var isRGB: Bool { if case .rgb = self { true } else { false } }

  /// Bytes of a line of a plane, without what may follow before the next.
  public func lineBytes(_ plane: Int, width: Int) -> Int {
    let pairs = (width + 1) / 2
    return switch self {
    case .yuv420, .yuv422: plane == 0 ? width : pairs
    case .yuv444: width
    case .nv12, .nv21, .nv16, .nv61: plane == 0 ? width : 2 * pairs
    case .nv24, .nv42: plane == 0 ? width : 2 * width
    case .p010: plane == 0 ? 2 * width : 4 * pairs
    case .yuyv, .yvyu, .uyvy, .vyuy: 4 * pairs
    case .grey: width
    case .rgb(.rgb), .rgb(.bgr): 3 * width
    case .rgb: 4 * width
    }
  }

  /// Bytes from line to line of a plane of colour that follows one of Y with so many.
  func chromaStride(_ luma: Int) -> Int {
    switch self {
    case .yuv420, .yuv422: (luma + 1) / 2
    case .nv24, .nv42: 2 * luma
    default: luma
    }
  }

  /// Lines of a plane.
  public func lines(_ plane: Int, height: Int) -> Int {
    plane == 0 ? height : (height + linesPerChroma - 1) / linesPerChroma
  }
}
