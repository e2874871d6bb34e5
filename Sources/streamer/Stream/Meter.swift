import LinuxIO
import V4L2Capture

/// Measures where the time of a camera's frames goes: always, and for `bench` over the frames that it asks for. A program
/// built with `-D UNMEASURED` does not: `make bench-measuring` holds it against this one.
struct Meter: ~Copyable {
  private var stages = Stages()
  private let measurement: Measurement?
  /// Frames so far.
  private(set) var seen: UInt64 = 0
  /// When the first frame came that counts, and the last.
  private var first: (timestamp: Int64, usage: ResourceUsage)?
  private var last: Int64 = 0
  /// All frames that were asked for are measured.
  private(set) var isDone = false
  private var lastTimestamp: Int64?
  private var rhythm = Rhythm()
  private var ahead: UInt64 = 0
  /// When the frame in flight was taken.
  private var takenAt: Int64 = 0
  /// It went back to the camera when it was encoded.
  private var isBack = false
  /// A packet of the frame in flight was sent.
  private var hasSent = false
  /// Of the frames that are measured.
  private var timeline: Timeline
  /// The newest frame's place in it, and that of the frame in flight.
  private var newest: Int?
  private var current: Int?

  init(_ measurement: Measurement?) {
    self.measurement = measurement
    timeline = Timeline(capacity: Int(clamping: measurement?.frames ?? 0))
  }

  /// Frames are measured for so long only.
  var isLimited: Bool { measurement != nil }

  /// A frame came.
  /// - Parameter isNext: the frame that came last is the one before it.
  mutating func count(_ frame: borrowing Frame, isNext: Bool) -> Measurement.Phase {
    seen += 1
    newest = nil
    let phase = measurement?.phase(seen) ?? (seen == 1 ? .starting : .measuring)
    switch phase {
    case .warmingUp: return phase
    case .starting: start(frame.timestamp)
    case .measuring: follow(frame.timestamp, isNext: isNext)
    case .done:
      isDone = true
      return phase
    }
    last = frame.timestamp
    lastTimestamp = frame.timestamp
    #if !UNMEASURED
      if frame.takenAt < frame.timestamp { ahead += 1 }
      stages.record(.driverToDequeue, frame.takenAt - frame.timestamp)
    #endif
    if measurement != nil {
      newest = timeline.append(
        Measurement.Sample(sequence: frame.sequence, timestamp: frame.timestamp, takenAt: frame.takenAt))
    }
    return phase
  }

  private mutating func start(_ timestamp: Int64) {
    stages.reset()
    rhythm = Rhythm()
    ahead = 0
    first = (timestamp, ResourceUsage.ofThisThread)
  }

  @inline(__always)
  private mutating func follow(_ timestamp: Int64, isNext: Bool) {
    #if !UNMEASURED
      guard isNext, let lastTimestamp else { return rhythm.breakOff() }
      stages.record(.frameInterval, timestamp &- lastTimestamp)
      rhythm.count(timestamp &- lastTimestamp)
    #endif
  }

  /// The frame that came last is the one in flight now.
  mutating func take(_ frame: borrowing Frame) {
    takenAt = frame.takenAt
    isBack = false
    current = newest
  }

  /// It was raw, was encoded, and is back.
  mutating func encoded(from start: Int64, to end: Int64) {
    isBack = true
    #if !UNMEASURED
      stages.record(.encoding, end - start)
      stages.record(.dequeueToRequeue, end - takenAt)
      if let current { timeline[current].doneAt = end }
    #endif
  }

  /// It leaves with a timestamp.
  func stamp(_ timestamp: UInt32) {
    if let current { timeline[current].rtpTimestamp = timestamp }
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

  /// The last packet was handed over to all receivers.
  mutating func endedSending() {
    #if !UNMEASURED
      let now = Clock.monotonic
      stages.record(.dequeueToLastPacket, now - takenAt)
      if let current { timeline[current].sentAt = now }
    #endif
  }

  /// The frame in flight ends.
  /// - Parameter wasLent: its buffer was given back.
  mutating func end(wasLent: Bool) {
    hasSent = false
    #if !UNMEASURED
      guard wasLent else { return }
      let now = Clock.monotonic
      if !isBack {
        stages.record(.dequeueToRequeue, now - takenAt)
        if let current { timeline[current].doneAt = now }
      }
      current = nil
    #endif
  }

  /// What was measured so far; nil: nothing yet.
  /// - Parameter isOver: every frame's times are part of it.
  mutating func result(_ statistics: StreamStatistics, isOver: Bool) -> Measurement.Result? {
    guard let first, statistics.captured > 1 else { return nil }
    if isOver { rhythm.breakOff() }
    return Measurement.Result(
      stages: stages.distributions(), statistics: statistics, usage: ResourceUsage.ofThisThread - first.usage,
      duration: last - first.timestamp, neverSent: rhythm.missing, ahead: ahead,
      timeline: isOver ? timeline.samples : [])
  }
}
