/// When a frame was captured whose first bytes are here: its driver tells the timestamp only with its last.
///
/// A line is laid through the timestamps of the frames that are done, by least squares as long as they are few, then so
/// that older ones fade. It says when a frame is due; where one is seen soon after that, or nobody looked in between, that is
/// when it was captured. This is evener than the timestamps, which have the delays of the bus and of the kernel in them.
public struct CaptureEstimate: Sendable {
  /// Between two frames, in nanoseconds, by the line.
  private var interval: Double
  /// When the last frame that is done was due, by the line.
  private var last: Int64 = 0
  /// The timestamps that the line goes through, up to `most`.
  private var samples = 0
  /// A timestamp was off the line: one more of so many is too much.
  private var watched = 0
  /// What was estimated, and what the driver told, last.
  private var estimated = Int64.min
  private var told = Int64.min

  /// Timestamps that a line has to go through before it is trusted: those of a camera without a rhythm hardly ever do.
  private static let enough = 6
  /// Timestamps that a line knows: with more of them it is evener, with fewer it follows a changed interval sooner.
  private static let most = 10
  /// Frames can be missing; so many intervals from the last one on there is no line any more.
  private static let farthest = 8.0
  /// So far a timestamp may be off the line, or an eighth of the interval, in nanoseconds: uvcvideo's have whole USB
  /// transfers for their steps, of up to 4 ms.
  private static let wander = 4.5e6
  /// So long after it was due a frame may be seen, or a quarter of the interval, in nanoseconds.
  private static let look = 5e6

  /// - Parameter interval: between two frames, in nanoseconds, where the camera says it.
  public init(interval: Int64?) { self.interval = Self.plausible(Double(interval ?? 33_333_333)) }

  /// The timestamp of a frame that is on its way: later than all before it, and not later than it was seen.
  /// - Parameters:
  ///   - seenAt: CLOCK_MONOTONIC, in nanoseconds, when its first bytes were found here.
  ///   - emptyAt: when it was looked for last, and nothing of it was there: it began since. nil: that was not before the
  ///     frame before it was done.
  public mutating func estimate(seenAt: Int64, emptyAt: Int64? = nil) -> Int64 {
    // A driver's fault can be of the future.
    let before = told < seenAt ? max(estimated, told) : estimated
    estimated = max(due(seenAt, emptyAt) ?? seenAt, before &+ 1)
    return estimated
  }

  /// When a frame was due, by the line, that was seen then; nil: it can't be told.
  private func due(_ seenAt: Int64, _ emptyAt: Int64?) -> Int64? {
    guard samples >= Self.enough else { return nil }
    let slack = max(interval / 4, Self.look)
    let (intervals, rest) = place(seenAt)
    guard intervals <= Self.farthest else { return nil }
    if (0...slack).contains(rest) { return seenAt &- Int64(rest) }
    // Nobody looked for so long: the first time that nothing speaks against, unless whole frames can have passed.
    guard let emptyAt else { return nil }
    let first = max(1, ((Double(emptyAt &- last) - slack) / interval).rounded(.up))
    let due = last &+ Int64(first * interval)
    return due <= seenAt && Double(seenAt &- due) < interval ? due : nil
  }

  /// A frame is done, whether it was estimated or not.
  /// - Parameter timestamp: the driver's: CLOCK_MONOTONIC, in nanoseconds.
  public mutating func correct(_ timestamp: Int64) {
    told = timestamp
    let (intervals, rest) = place(timestamp)
    guard samples > 0, intervals <= Self.farthest, abs(rest) <= max(interval / 8, Self.wander) else {
      return leave(timestamp)
    }
    watched = max(0, watched - 1)
    samples = min(samples + 1, Self.most)
    // Least squares of a line through so many points, one after the other: by how much of the last one's distance its
    // end moves, and its slope.
    let count = Double(samples)
    let pairs = count * (count + 1)
    last = timestamp &- Int64(rest * (1 - (4 * count - 2) / pairs))
    interval = Self.plausible(interval + rest / intervals * 6 / pairs)
  }

  /// A timestamp is off the line. One alone is passed over, as a fault. Another one soon after begins a new line, and the
  /// next gives it its interval.
  private mutating func leave(_ timestamp: Int64) {
    guard watched > 0 || samples < Self.enough else {
      watched = 4
      return
    }
    watched = 0
    if samples == 1, timestamp > last {
      interval = Self.plausible(Double(timestamp &- last))
      samples = 2
    } else {
      samples = 1
    }
    last = timestamp
  }

  /// The whole intervals from the last frame to a time, at least one, and the nanoseconds from there to it.
  private func place(_ time: Int64) -> (intervals: Double, rest: Double) {
    let distance = Double(time &- last)
    let intervals = max(1, (distance / interval).rounded())
    return (intervals, distance - intervals * interval)
  }

  /// 0.1 to 1000 frames a second.
  private static func plausible(_ interval: Double) -> Double { min(max(interval, 1e6), 1e10) }
}
