import V4L2Capture

/// Whether a camera still gives frames at all.
struct SilenceCheck {
  /// Nanoseconds without a frame after which a camera counts as silent.
  private let patience: Int64
  private var seen: (frames: UInt64, time: Int64)
  private(set) var isSilent = false

  /// Three seconds, or three frames of a camera that is slower than that.
  init(_ rate: FrameRate?, now: Int64) {
    patience = max(3_000_000_000, 3 * (rate?.interval ?? 0))
    seen = (0, now)
  }

  /// Looks, every second or so.
  /// - Parameters:
  ///   - frames: those that came so far.
  ///   - now: CLOCK_MONOTONIC, nanoseconds.
  ///   - mayCome: the loop takes frames; else they wait in the camera, which is not its fault.
  /// - Returns: whether it fell silent just now, or speaks again.
  mutating func check(_ frames: UInt64, at now: Int64, mayCome: Bool = true) -> Bool {
    let wasSilent = isSilent
    if frames != seen.frames || !mayCome { seen = (frames, now) }
    isSilent = now - seen.time >= patience
    return isSilent != wasSilent
  }
}
