/// When to poll the buffer that a camera is filling. All times are nanoseconds of CLOCK_MONOTONIC.
struct PollSchedule {
  /// Between two frames: as it was promised, and as it is in little light.
  private let promised: Int64
  private var interval: Int64
  private var lastTimestamp: Int64?
  /// Bytes of a few packets: what one poll finds.
  private let portion: Double
  /// How fast data arrives, in bytes a nanosecond; 0: unknown.
  private var rate = 0.0
  /// When polling is of no use any longer, for now.
  private var end: Int64 = 0
  /// Bytes of the frame that were there at the last poll.
  private var lastBytes = 0

  /// A camera that promises a frame every second or more may take twice what it promises.
  private static let longestInterval: Int64 = 2_000_000_000
  /// Between two polls.
  private static let steps: ClosedRange<Double> = 500_000...4_000_000

  /// - Parameters:
  ///   - interval: between two frames, where the camera says it.
  ///   - packetSize: in bytes.
  init(interval: Int64?, packetSize: Int) {
    promised = interval ?? 33_333_333
    self.interval = promised
    // A poll finds them, and the next one sends them.
    portion = Double(12 * packetSize)
  }

  private var step: Int64 {
    let (least, most) = (Self.steps.lowerBound, Self.steps.upperBound)
    return Int64(rate > 0 ? min(max(portion / rate, least), most) : least)
  }

  /// The buffer was polled.
  /// - Parameter byteCount: what there is of the frame; nil: nothing yet.
  /// - Returns: when to poll again; nil: not before the next frame is complete.
  mutating func polled(_ byteCount: Int?, at now: Int64) -> Int64? {
    if let byteCount {
      // A frame that has begun may take its time, but not for ever.
      if byteCount > lastBytes { end = max(end, now + 2 * interval) }
      lastBytes = byteCount
    }
    return now < end ? now + step : nil
  }

  /// A frame is complete.
  mutating func completed(timestamp: Int64, dequeuedAt: Int64, byteCount: Int) {
    let took = dequeuedAt - timestamp
    if took > 0 {
      let measured = Double(byteCount) / Double(took)
      rate = rate == 0 ? measured : rate + (measured - rate) / 8
    }
    let observed = lastTimestamp.map { timestamp - $0 } ?? promised
    // In little light a camera gives fewer than it promised; a step back or a pause is no interval.
    let isSlower = observed >= promised / 2 * 3 && observed <= max(Self.longestInterval, 2 * promised)
    interval = isSlower ? observed : promised
    lastTimestamp = timestamp
    lastBytes = 0
  }

  /// When to poll for the frame after the one that was complete last.
  mutating func next(after timestamp: Int64, dequeuedAt: Int64) -> Int64 {
    let next = timestamp + interval
    end = next + 2 * interval
    return max(dequeuedAt, next) + step / 2
  }
}
