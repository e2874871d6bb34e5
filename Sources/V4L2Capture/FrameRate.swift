/// Frames a second as a fraction, exactly as drivers say it: the inverse of V4L2's frame interval.
public struct FrameRate: Equatable, Hashable, Sendable, Comparable, CustomStringConvertible {
  public let numerator: UInt32
  public let denominator: UInt32

  /// nil where one of them is 0.
  public init?(_ numerator: UInt32, _ denominator: UInt32 = 1) {
    guard numerator > 0, denominator > 0 else { return nil }
    self.numerator = numerator
    self.denominator = denominator
  }

  /// What anybody asks for, in frames a second.
  private static let sensible = 0.001...10_000.0
  /// For people.
  public static var range: String { "\(sensible.lowerBound) to \(Int(sensible.upperBound))" }

  /// From text, such as `30`, `7.5` or `30000/1001`.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2, let numerator = UInt32(parts[0]), let denominator = UInt32(parts[1]) {
      self.init(numerator, denominator)
      guard Self.sensible.contains(value) else { return nil }
      return
    }
    guard let value = Double(text), Self.sensible.contains(value) else { return nil }
    let thousandths = UInt32((value * 1000).rounded())
    if thousandths % 1000 == 0 { self.init(thousandths / 1000) } else { self.init(thousandths, 1000) }
  }

  /// Frames a second.
  public var value: Double { Double(numerator) / Double(denominator) }

  /// Nanoseconds a frame; at least 100 µs, at most 1000 s, whatever a driver says.
  public var interval: Int64 {
    let (fastest, slowest) = (1e9 / Self.sensible.upperBound, 1e9 / Self.sensible.lowerBound)
    return Int64(min(max(1e9 / value, fastest), slowest).rounded())
  }

  /// Whether people would call them the same: drivers round intervals (30.0003), and NTSC's 29.97 is taken for 30.
  public func isNear(_ other: FrameRate) -> Bool { abs(value - other.value) <= 0.005 * other.value }

  public static func < (left: FrameRate, right: FrameRate) -> Bool {
    UInt64(left.numerator) * UInt64(right.denominator) < UInt64(right.numerator) * UInt64(left.denominator)
  }

  /// Two decimals at most.
  public var description: String {
    let hundredths = Int((value * 100).rounded())
    let (whole, part) = hundredths.quotientAndRemainder(dividingBy: 100)
    if part == 0 { return "\(whole)" }
    return part % 10 == 0 ? "\(whole).\(part / 10)" : "\(whole).\(part < 10 ? "0" : "")\(part)"
  }
}
