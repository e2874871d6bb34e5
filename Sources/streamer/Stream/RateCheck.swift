import V4L2Capture

/// Whether a camera gives the frames that its driver promised, measured once over its first seconds.
struct RateCheck {
  private let promised: Double?
  private var first: (time: Int64, sequence: UInt32)?
  private var frames: UInt32 = 0
  private var isDone = false

  /// Cameras need a moment to set their exposure; and a few frames' jitter shall not count.
  private static let settling: Int64 = 1_000_000_000
  private static let span: Int64 = 4_000_000_000
  /// Below this part of the promise it is said.
  private static let enough = 0.9

  init(_ promised: FrameRate?) { self.promised = promised?.value }

  private var start: Int64?

  /// Counts a frame in.
  /// - Parameters:
  ///   - time: nanoseconds of its capture.
  ///   - sequence: the driver's number of it, so that frames the driver dropped count as given by the camera.
  /// - Returns: the rate, the one time that it is found to be well under the promised.
  mutating func check(_ time: Int64, sequence: UInt32) -> Double? {
    guard !isDone, let promised else { return nil }
    guard let start else {
      start = time
      return nil
    }
    guard time &- start >= Self.settling else { return nil }
    guard let first else {
      first = (time, sequence)
      return nil
    }
    frames += 1
    let elapsed = time &- first.time
    guard elapsed >= Self.span else { return nil }
    isDone = true
    // Some drivers number all frames alike.
    let measured = Double(max(frames, sequence &- first.sequence)) / (Double(elapsed) / 1e9)
    return measured < promised * Self.enough ? measured : nil
  }
}
