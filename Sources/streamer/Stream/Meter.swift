import LinuxIO
import V4L2Capture

/// Measures where the time of a camera's frames goes: always, and for `bench` over the frames that it asks for. A program
/// built with `-D UNMEASURED` does not: `make bench-measuring` holds it against this one.
struct Meter: ~Copyable {
  private let stages = Stages()
  private let measurement: Measurement?
  /// Frames so far, and when the first one came that counts, and the last.
  private(set) var seen: UInt64 = 0
  private var first: (timestamp: Int64, usage: ResourceUsage)?
  private var last: Int64 = 0
  /// All frames that were asked for are measured.
  private(set) var isDone = false
  private var lastTimestamp: Int64?
  /// The last frame's.
  private var takenAt: Int64 = 0
  /// It went back to the camera when it was encoded.
  private var isBack = false
  /// A packet of the frame under way was sent.
  private var hasSent = false
  /// Of the frames that are measured; room for all of them is made at the start.
  private var timeline: [Measurement.Sample] = []

  init(_ measurement: Measurement?) {
    self.measurement = measurement
    if let measurement { timeline.reserveCapacity(Int(clamping: min(measurement.frames + 1, 1 << 20))) }
  }

  /// A frame came.
  /// - Parameters:
  ///   - timestamp: of its capture.
  ///   - isNext: the frame that came last is the one before it.
  mutating func count(_ timestamp: Int64, isNext: Bool) -> Measurement.Phase {
    seen += 1
    let phase = measurement?.phase(seen) ?? (seen == 1 ? .starting : .measuring)
    switch phase {
    case .warmingUp: return phase
    case .starting:
      stages.reset()
      first = (timestamp, ResourceUsage.ofThisThread)
    case .measuring:
      #if !UNMEASURED
        if isNext, let lastTimestamp { stages.record(.frameInterval, timestamp - lastTimestamp) }
      #endif
    case .done: isDone = true
    }
    if !isDone { last = timestamp }
    lastTimestamp = timestamp
    return phase
  }

  /// A frame is going to be sent.
  mutating func take(_ frame: borrowing Frame) {
    takenAt = frame.takenAt
    isBack = false
    #if !UNMEASURED
      stages.record(.driverToDequeue, frame.takenAt - frame.timestamp)
    #endif
    guard measurement != nil, first != nil, timeline.count < timeline.capacity else { return }
    timeline.append(Measurement.Sample(timestamp: frame.timestamp, takenAt: frame.takenAt))
  }

  /// It was raw, was encoded, and is back.
  mutating func encoded(from start: Int64, to end: Int64) {
    isBack = true
    #if !UNMEASURED
      stages.record(.encoding, end - start)
      stages.record(.dequeueToRequeue, end - takenAt)
    #endif
  }

  /// It leaves with a timestamp.
  mutating func stamp(_ timestamp: UInt32) {
    if let last = timeline.indices.last { timeline[last].rtpTimestamp = timestamp }
  }

  /// Now, if no packet of the frame was sent so far.
  var start: Int64? {
    #if UNMEASURED
      nil
    #else
      hasSent ? nil : Clock.monotonic
    #endif
  }

  /// The first packet of a frame was handed over.
  /// - Parameters:
  ///   - start: just before.
  ///   - isWhole: the frame was there.
  ///   - firstSeen: when the first of it was seen, where it was not.
  mutating func startedSending(at start: Int64, isWhole: Bool, firstSeen: Int64?) {
    hasSent = true
    if isWhole {
      stages.record(.dequeueToFirstPacket, start - takenAt)
    } else if let firstSeen {
      stages.record(.firstDataToFirstPacket, start - firstSeen)
    }
  }

  /// The last packet was handed over.
  func endedSending() {
    #if !UNMEASURED
      stages.record(.dequeueToLastPacket, Clock.monotonic - takenAt)
    #endif
  }

  /// The frame under way ends.
  /// - Parameter wasLent: its buffer was given back.
  mutating func end(wasLent: Bool) {
    hasSent = false
    #if !UNMEASURED
      guard wasLent else { return }
      let now = Clock.monotonic
      if !isBack { stages.record(.dequeueToRequeue, now - takenAt) }
      if let last = timeline.indices.last, timeline[last].doneAt == 0 { timeline[last].doneAt = now }
    #endif
  }

  /// What was measured so far; nil: nothing yet.
  func result(_ statistics: StreamStatistics) -> Measurement.Result? {
    guard let first, statistics.captured > 1 else { return nil }
    return Measurement.Result(
      stages: stages.distributions, statistics: statistics, usage: ResourceUsage.ofThisThread - first.usage,
      duration: last - first.timestamp, timeline: timeline)
  }
}
