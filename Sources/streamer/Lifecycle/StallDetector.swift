import V4L2Capture

/// Whether a camera that is open still gives frames.
struct StallDetector: Equatable, Sendable {
  /// Nanoseconds without a frame after which a camera counts as stalled.
  var patience: Int64
  /// The frames that had come when it was last asked.
  private var frames: UInt64 = 0
  /// When one came last, or the camera was given another chance.
  private var time: Int64 = 0

  enum Verdict: Equatable { case frames, waiting, stalled }

  /// The patience unless another one is asked for: three seconds, or ten frame intervals of a slow camera.
  static func usualPatience(_ rate: FrameRate?) -> Int64 { max(3_000_000_000, 10 * (rate?.interval ?? 0)) }

  init(patience: Int64) { self.patience = patience }

  /// Waits for frames from now on.
  mutating func restart(at now: Int64) { time = now }

  /// Waits for frames from now on, of a camera that was opened.
  /// - Parameter frames: those that came before.
  mutating func restart(frames: UInt64, at now: Int64) { (self.frames, time) = (frames, now) }

  /// - Parameters:
  ///   - frames: those that came so far.
  ///   - mayCome: the loop takes frames; else they wait in the camera, which is not its fault.
  ///   - now: CLOCK_MONOTONIC, nanoseconds.
  mutating func check(_ frames: UInt64, mayCome: Bool, at now: Int64) -> Verdict {
    let isNew = frames != self.frames
    if isNew || !mayCome { restart(frames: frames, at: now) }
    return isNew ? .frames : now - time >= patience ? .stalled : .waiting
  }
}
