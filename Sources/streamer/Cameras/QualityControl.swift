import LinuxIO

/// Holds a rate of bytes by the quality of each frame, as the frames before it turned out.
///
/// A JPEG's size goes with its tables' scale by a power that pictures differ little in; one frame tells the factor, so that
/// the frame behind a change of scene is right again. What was sent too much, or too little, is made up for in half a
/// second.
struct QualityControl {
  /// Bytes a second.
  private let rate: Double
  /// What is taken.
  private let bounds: ClosedRange<Int>
  /// The next frame's quality.
  private(set) var quality: Int
  /// Bytes that were sent over what the rate allows.
  private var debt = 0.0
  /// Nanoseconds from frame to frame.
  private var interval: Double
  private var last: Int64?

  /// Seconds in which a debt is paid.
  private static let horizon = 0.5
  /// By how much of its scale's change a size changes, as powers.
  private static let power = 0.75

  /// - Parameters:
  ///   - bitrate: bits a second.
  ///   - best: the best quality that is taken.
  ///   - interval: nanoseconds from frame to frame, as far as it is known.
  init(bitrate: Double, best: Int, interval: Int64) {
    rate = bitrate / 8
    bounds = min(Self.worst, best)...best
    quality = min(max(Self.first, bounds.lowerBound), best)
    self.interval = Double(interval)
  }

  /// Under this a picture is of no use.
  private static let worst = 5
  /// Before anything is known.
  private static let first = 50

  /// A frame was encoded with `quality`.
  /// - Parameters:
  ///   - size: its bytes.
  ///   - timestamp: nanoseconds.
  mutating func encoded(_ size: Int, at timestamp: Int64) {
    let elapsed = last.map { min(max(Double(timestamp - $0), 0), 1e9) } ?? interval
    last = timestamp
    // A pause is no interval.
    interval += (min(elapsed, 2 * interval) - interval) / 8
    // What was not used is not kept for long: a burst would follow. Nor is what the worst quality was too much by.
    let share = rate * interval / 1e9
    debt = min(max(debt + Double(size) - rate * elapsed / 1e9, -2 * share), rate * Self.horizon / 2)
    let wanted = min(max(share - debt * interval / 1e9 / Self.horizon, share / 4), 2 * share)
    // As it is, it is good enough: no flicker from frame to frame.
    let error = Double(size) / wanted
    guard error < 0.93 || error > 1.05 else { return }
    quality = Self.quality(scale: Self.scale(quality) * error.raised(to: 1 / Self.power), in: bounds)
  }

  /// By how much libjpeg's tables are scaled, in percent (jpeg_quality_scaling).
  private static func scale(_ quality: Int) -> Double {
    quality < 50 ? 5000 / Double(quality) : max(1, 200 - 2 * Double(quality))
  }

  private static func quality(scale: Double, in bounds: ClosedRange<Int>) -> Int {
    let exact = scale > 100 ? 5000 / scale : (200 - scale) / 2
    return min(max(Int(min(max(exact, 1), 100).rounded(.down)), bounds.lowerBound), bounds.upperBound)
  }
}
