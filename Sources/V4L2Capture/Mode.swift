/// A width and a height, in pixels.
public struct FrameSize: Equatable, Hashable, Sendable, CustomStringConvertible {
  public let width: UInt32
  public let height: UInt32

  public init(_ width: UInt32, _ height: UInt32) {
    self.width = width
    self.height = height
  }

  /// From text such as `1280x720`.
  public init?(_ text: String) {
    let parts = text.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    guard parts.count == 2, let width = UInt32(parts[0]), let height = UInt32(parts[1]), width > 0, height > 0,
      width <= 65_535, height <= 65_535
    else { return nil }
    self.init(width, height)
  }

  public var area: UInt64 { UInt64(width) * UInt64(height) }
  public var description: String { "\(width)x\(height)" }

  /// Whether a picture can have it: JPEG's sides have 16 bits (ITU-T T.81, B.2.2), and no sensor has 2^28 pixels.
  public var isPossible: Bool { width > 0 && height > 0 && width <= 65_535 && height <= 65_535 && area <= 1 << 28 }

  func fits(in other: FrameSize) -> Bool { width <= other.width && height <= other.height }
}

/// The sizes of one entry of VIDIOC_ENUM_FRAMESIZES: one size, or a range in steps.
public struct SizeRange: Equatable, Sendable, CustomStringConvertible {
  public let smallest: FrameSize
  public let largest: FrameSize
  public let step: FrameSize

  public init(_ size: FrameSize) {
    self.init(from: size, to: size, step: FrameSize(1, 1))
  }

  public init(from smallest: FrameSize, to largest: FrameSize, step: FrameSize) {
    self.smallest = smallest
    self.largest = largest
    self.step = FrameSize(max(1, step.width), max(1, step.height))
  }

  /// A range as a driver reports it; nil where no picture can have its smallest size. Many drivers report an upper end that
  /// is beyond all sizes.
  public init?(reported smallest: FrameSize, to largest: FrameSize, step: FrameSize) {
    let smallest = FrameSize(max(1, smallest.width), max(1, smallest.height))
    let largest = FrameSize(min(largest.width, 65_535), min(largest.height, 65_535))
    guard smallest.isPossible, smallest.fits(in: largest) else { return nil }
    self.init(from: smallest, to: largest, step: step)
  }

  func contains(_ size: FrameSize) -> Bool { nearest(to: size) == size }

  /// The largest size in the range that is not over `limit` in either direction; the smallest where none is.
  func nearest(to limit: FrameSize) -> FrameSize {
    func side(_ low: UInt32, _ high: UInt32, _ step: UInt32, _ limit: UInt32) -> UInt32 {
      guard limit > low, high > low else { return low }
      return low + (min(limit, high) - low) / step * step
    }
    return FrameSize(
      side(smallest.width, largest.width, step.width, limit.width),
      side(smallest.height, largest.height, step.height, limit.height))
  }

  public var description: String {
    smallest == largest ? "\(smallest)" : "\(smallest) to \(largest) in steps of \(step)"
  }
}

/// The rates of one size: a list, or a range.
public struct RateRange: Equatable, Sendable, CustomStringConvertible {
  /// The highest first; of a range its two ends. Empty where the driver does not say.
  public let rates: [FrameRate]
  /// Every rate between the two ends, too.
  public let isContinuous: Bool

  public init(_ rates: [FrameRate], isContinuous: Bool = false) {
    self.rates = rates.sorted(by: >)
    self.isContinuous = isContinuous
  }

  /// Below this a picture does not move smoothly, in frames a second.
  private static let smooth = 25.0 * 0.995
  /// More is not taken unless it is asked for.
  private static let usual = 30.0 * 1.005

  /// Whether it reaches 25 frames a second; a driver that does not say is believed to.
  var isSmooth: Bool { rates.first.map { $0.value >= Self.smooth } ?? true }

  func contains(_ rate: FrameRate) -> Bool {
    guard let high = rates.first, let low = rates.last else { return true }
    return rates.contains { $0.isNear(rate) } || isContinuous && rate < high && low < rate
  }

  /// The driver's own rate for the one that was asked for; else the highest up to 30, unless that is under 25.
  func choose(_ wanted: FrameRate?) -> FrameRate? {
    if let wanted { return rates.first { $0.isNear(wanted) } ?? wanted }
    if isContinuous, let thirty = FrameRate(30), contains(thirty) { return thirty }
    let enough = rates.filter { $0.value >= Self.smooth }
    return enough.first { $0.value <= Self.usual } ?? enough.last ?? rates.first
  }

  public var description: String {
    if isContinuous, let high = rates.first, let low = rates.last { return "\(low) to \(high) fps" }
    return rates.isEmpty ? "" : rates.map(\.description).joined(separator: ", ") + " fps"
  }
}

/// What a camera has: sizes of one format, and the rates they come at.
public struct Mode: Equatable, Sendable, CustomStringConvertible {
  public let format: PixelFormat
  public let sizes: SizeRange
  public let rates: RateRange

  public init(format: PixelFormat, sizes: SizeRange, rates: RateRange) {
    self.format = format
    self.sizes = sizes
    self.rates = rates
  }

  /// Such as `MJPG 1920x1080 at 30, 15 fps`.
  public var description: String {
    rates.rates.isEmpty ? "\(format) \(sizes)" : "\(format) \(sizes) at \(rates)"
  }
}
