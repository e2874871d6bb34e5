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

  /// Whether a driver's answer is what was asked for: what is nil was not.
  public func accepts(_ format: Format) -> Bool {
    (self.format?.isLike(format.format) ?? true) && (size ?? format.size) == format.size
      && format.format.cost != nil
  }

  /// Chooses out of what a camera has: what was asked for, and else the largest size up to 1920x1080 that reaches 25
  /// frames a second. Of the formats, JPEG where it has that, as it costs least by far; else the cheapest raw one.
  public func choose(from modes: [Mode]) throws(ModeNotOffered) -> ModeChoice {
    guard let best = best(of: modes) else { throw ModeNotOffered(request: self, modes: modes) }
    return best.choice(at: rate)
  }

  /// What `choose` chooses, and then what it would choose without the modes before.
  /// - Parameter most: the most that are returned.
  public func choices(from modes: [Mode], most: Int = 8) -> [ModeChoice] {
    var left = modes
    var choices: [ModeChoice] = []
    while choices.count < most, let best = best(of: left) {
      left.removeAll { $0 == best.mode }
      choices.append(best.choice(at: rate))
    }
    return choices
  }

  private func best(of modes: [Mode]) -> Candidate? {
    let offered = modes.filter { mode in
      (format.map { $0.isLike(mode.format) } ?? (mode.format.cost != nil))
        && (size.map { mode.sizes.contains($0) } ?? true) && (rate.map { mode.rates.contains($0) } ?? true)
    }
    let exact = offered.filter { $0.format == format }
    let fitting = exact.isEmpty ? offered : exact
    let sendable = fitting.filter { PixelFormat.sendable.contains($0.format) }
    let choices = (sendable.isEmpty ? fitting : sendable).map { Candidate($0, size: size) }
    // Where all are larger than usual, the smallest of them.
    let usual = choices.filter { self.size != nil || $0.size.fits(in: Self.usualSize) }
    let smallest = choices.min { ($0.size.area, $0.cost) < ($1.size.area, $1.cost) }
    let smooth = usual.filter { rate != nil || $0.mode.rates.isSmooth }
    return smooth.max { ($0.size.area, -$0.cost) < ($1.size.area, -$1.cost) }
      ?? usual.max { ($0.rate, $0.size.area, -$0.cost) < ($1.rate, $1.size.area, -$1.cost) } ?? smallest
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

    func choice(at rate: FrameRate?) -> ModeChoice {
      ModeChoice(format: mode.format, size: size, rate: mode.rates.choose(rate))
    }
  }
}

/// What was chosen.
public struct ModeChoice: Equatable, Sendable, CustomStringConvertible {
  public var format: PixelFormat
  public var size: FrameSize
  /// nil where the driver does not say which it has, and none was asked for.
  public var rate: FrameRate?

  /// Such as `MJPG 1280x720`.
  public var description: String { "\(format) \(size)" }
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
