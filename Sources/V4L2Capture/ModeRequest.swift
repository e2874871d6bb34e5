/// What the user asks of a camera; what is nil is chosen.
public struct ModeRequest: Equatable, Sendable {
  public var format: PixelFormat?
  public var size: FrameSize?
  public var rate: FrameRate?

  public init(format: PixelFormat? = nil, size: FrameSize? = nil, rate: FrameRate? = nil) {
    self.format = format
    self.size = size
    self.rate = rate
  }

  /// Unless a size is asked for, none is taken that is larger in either direction.
  public static let usualSize = FrameSize(1920, 1080)

  /// Chooses out of what a camera has: what was asked for, and else MJPEG in the largest size up to 1920x1080 that
  /// reaches 25 frames a second.
  public func choose(from modes: [Mode]) throws(ModeNotOffered) -> ModeChoice {
    let fitting = modes.filter { mode in
      (format.map { $0 == mode.format } ?? PixelFormat.sendable.contains(mode.format))
        && (size.map { mode.sizes.contains($0) } ?? true) && (rate.map { mode.rates.contains($0) } ?? true)
    }
    let choices = fitting.map { mode in
      let size = size ?? mode.sizes.nearest(to: Self.usualSize)
      return (size: size, mode: mode, isUsual: size.fits(in: Self.usualSize))
    }
    // Where all are larger than usual, the smallest of them.
    let usual = choices.filter { self.size != nil || $0.isUsual }
    guard let smallest = choices.min(by: { $0.size.area < $1.size.area }) else {
      throw ModeNotOffered(request: self, modes: modes)
    }
    let smooth = usual.filter { rate != nil || $0.mode.rates.isSmooth }
    let best =
      smooth.max { $0.size.area < $1.size.area }
      ?? usual.max {
        ($0.mode.rates.rates.first?.value ?? 0, $0.size.area) < ($1.mode.rates.rates.first?.value ?? 0, $1.size.area)
      } ?? smallest
    return ModeChoice(format: best.mode.format, size: best.size, rate: best.mode.rates.choose(rate))
  }
}

/// What was chosen.
public struct ModeChoice: Equatable, Sendable {
  public var format: PixelFormat
  public var size: FrameSize
  /// nil where the driver does not say which it has, and none was asked for.
  public var rate: FrameRate?
}

/// No mode of the camera is what was asked for.
public struct ModeNotOffered: Error, CustomStringConvertible {
  public let request: ModeRequest
  public let modes: [Mode]

  public var description: String {
    var words: [String] = []
    if let format = request.format { words.append("--format \(format)") }
    if let size = request.size { words.append("--size \(size)") }
    if let rate = request.rate { words.append("--fps \(rate)") }
    if modes.isEmpty { return "it offers no mode at all" }
    let wanted = words.isEmpty ? "MJPEG" : words.joined(separator: " ")
    return "it does not offer \(wanted); it has:" + modes.map { "\n  \($0)" }.joined()
  }
}
