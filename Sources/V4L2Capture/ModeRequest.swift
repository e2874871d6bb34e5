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

  /// Chooses out of what a camera has: what was asked for, and else the largest size up to 1920x1080 that reaches 25
  /// frames a second. Of the formats, JPEG where it has that, as it costs least by far; else the cheapest raw one.
  public func choose(from modes: [Mode]) throws(ModeNotOffered) -> ModeChoice {
    let fitting = modes.filter { mode in
      (format.map { $0 == mode.format } ?? (mode.format.cost != nil))
        && (size.map { mode.sizes.contains($0) } ?? true) && (rate.map { mode.rates.contains($0) } ?? true)
    }
    let sendable = fitting.filter { PixelFormat.sendable.contains($0.format) }
    let choices = (sendable.isEmpty ? fitting : sendable).map { Candidate($0, size: size) }
    // Where all are larger than usual, the smallest of them.
    let usual = choices.filter { self.size != nil || $0.size.fits(in: Self.usualSize) }
    guard let smallest = choices.min(by: { ($0.size.area, $0.cost) < ($1.size.area, $1.cost) }) else {
      throw ModeNotOffered(request: self, modes: modes)
    }
    let smooth = usual.filter { rate != nil || $0.mode.rates.isSmooth }
    let best =
      smooth.max { ($0.size.area, -$0.cost) < ($1.size.area, -$1.cost) }
      ?? usual.max { ($0.rate, $0.size.area, -$0.cost) < ($1.rate, $1.size.area, -$1.cost) } ?? smallest
    return ModeChoice(format: best.mode.format, size: best.size, rate: best.mode.rates.choose(rate))
  }

  /// A mode with the size that it would have.
  private struct Candidate {
    let mode: Mode
    let size: FrameSize
    let cost: Int

    init(_ mode: Mode, size: FrameSize?) {
      self.mode = mode
      self.size = size ?? mode.sizes.nearest(to: usualSize)
      cost = mode.format.cost ?? .max
    }

    var rate: Double { mode.rates.rates.first?.value ?? 0 }
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
    let wanted = words.isEmpty ? "JPEG, nor a raw format that can be encoded" : words.joined(separator: " ")
    return "it does not offer \(wanted); it has:" + modes.map { "\n  \($0)" }.joined()
  }
}
