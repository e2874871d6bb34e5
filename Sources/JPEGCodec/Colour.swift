/// What the numbers of a raw picture mean.
public struct Colour: Sendable, Equatable {
  /// Black and white.
  public enum Range: Sendable, Equatable {
    /// 0 and 255.
    case full
    /// 16 and 235; colour from 16 to 240.
    case limited
  }

  /// How much of red, green and blue is in Y (ITU-R BT.601, BT.709, BT.2020; SMPTE 240M).
  public enum Matrix: Sendable, Equatable { case bt601, bt709, bt2020, smpte240m }

  public var range: Range
  /// Means nothing to RGB.
  public var matrix: Matrix

  public init(_ range: Range, _ matrix: Matrix) {
    self.range = range
    self.matrix = matrix
  }

  /// What JPEG's are (JFIF 1.02; ITU-T T.871, 6.2).
  public static let jpeg = Colour(.full, .bt601)
}

/// How much of its colour a JPEG keeps.
public enum Subsampling: Sendable, Equatable {
  /// Half the width and half the height.
  case yuv420
  /// Half the width.
  case yuv422

  /// Lines of the picture that share one of colour.
  var linesPerChroma: Int { self == .yuv420 ? 2 : 1 }
}
