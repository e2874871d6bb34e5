/// The capture times of a stream's frames, which always rise: its driver's timestamps, and steady times out of the frames'
/// arrivals for a driver whose timestamps stand still, repeat, or go back. All times are nanoseconds of CLOCK_MONOTONIC.
public struct FrameTimes: Sendable {
  /// The last time is the driver's timestamp.
  public private(set) var isDrivers = false
  /// The driver gave several timestamps that cannot be capture times.
  public var isFaulty: Bool { faults >= Self.faultLimit }

  private var faults = 0
  /// Good timestamps that must follow before they are used again.
  private var probation = 0
  private var last: Last?
  private var arrivals: ArrivalInterval
  /// From capture to arrival, as the last good timestamp had it.
  private var delay: Int64 = 0

  private struct Last {
    var time: Int64
    var stamp: Int64?
    var sequence: UInt32
    var takenAt: Int64
  }

  /// One bad timestamp may be a busy machine's: uvcvideo stamps frames late then.
  private static let faultLimit = 3
  private static let probationLength = 64
  /// No camera gives frames closer to each other.
  private static let leastStep: Int64 = 1_000_000
  /// The age of a timestamp: of the first frame, which is taken at once, and of any.
  private static let firstAge: Int64 = 1_000_000_000
  private static let oldest: Int64 = 10_000_000_000
  /// How far ahead of its arrival a timestamp may be: cameras' own clocks are not exact.
  private static let ahead: Int64 = 100_000_000

  /// - Parameter interval: between two frames, as the driver promised it.
  public init(interval: Int64? = nil) { arrivals = ArrivalInterval(interval ?? 33_333_333) }

  /// The capture time of the next frame.
  /// - Parameters:
  ///   - stamp: the driver's timestamp; nil: it is of no known clock.
  ///   - sequence: the driver's number of the frame.
  ///   - takenAt: when the frame was dequeued.
  public mutating func next(_ stamp: Int64?, sequence: UInt32, takenAt: Int64) -> Int64 {
    let steps = last.map { Int32(bitPattern: sequence &- $0.sequence) } ?? 1
    // A frame that the next one overtook on its way out of the driver has its own timestamp.
    if steps < 0, let stamp, let before = last?.stamp, stamp < before, isDrivers, steps > -8 { return stamp }
    let pause = arrivals.add(takenAt, frames: Int64(max(1, steps)))
    judge(stamp, takenAt)
    var time = takenAt
    if isDrivers, let stamp {
      delay = min(max(0, takenAt &- stamp), Self.firstAge)
      time = stamp
    } else if stamp != nil {
      time = steady(takenAt, frames: Int64(max(1, steps)), isPause: pause)
    }
    // A tick of RTP's clock is 11,112 ns.
    if let last { time = max(time, last.time &+ 11_112) }
    last = Last(time: time, stamp: stamp, sequence: sequence, takenAt: takenAt)
    return time
  }

  /// Decides whether the driver's timestamp is used.
  private mutating func judge(_ stamp: Int64?, _ takenAt: Int64) {
    isDrivers = false
    guard let stamp else { return }
    guard isGood(stamp, takenAt) else {
      faults = min(faults + 1, Self.faultLimit)
      probation = Self.probationLength
      return
    }
    probation = max(0, probation - 1)
    // A few, far apart, are no habit.
    if probation == 0, !isFaulty { faults = 0 }
    isDrivers = probation == 0 && last.map { stamp > $0.time } ?? true
  }

  private func isGood(_ stamp: Int64, _ takenAt: Int64) -> Bool {
    let (age, isAbsurd) = takenAt.subtractingReportingOverflow(stamp)
    guard !isAbsurd, age >= -Self.ahead else { return false }
    guard let last else { return age <= max(Self.firstAge, 4 * arrivals.interval) }
    // After timestamps of no known clock there is nothing to compare with.
    guard let before = last.stamp else { return age <= Self.oldest }
    let (step, isFar) = stamp.subtractingReportingOverflow(before)
    guard !isFar, step >= Self.leastStep else { return false }
    // Those that waited while this program was stopped are old, and follow each other as frames do.
    return age <= Self.oldest || probation == 0 && step >= arrivals.interval / 2
  }

  /// A time that follows the last one by the frames' mean interval, and follows their arrivals slowly: neither a busy machine
  /// nor a driver that hands over several frames at once makes it uneven.
  private func steady(_ takenAt: Int64, frames: Int64, isPause: Bool) -> Int64 {
    let arrival = takenAt &- delay
    guard let last, !isPause else { return arrival }
    let interval = arrivals.interval
    let expected = last.time &+ interval &* min(frames, 1000)
    let error = arrival &- expected
    // Too far away to be followed slowly.
    let isFar = error.magnitude > UInt64(max(1_000_000_000, 8 * interval))
    return max(isFar ? arrival : expected &+ error / 16, last.time &+ interval / 2)
  }
}

/// The mean interval of the last 16 to 32 frames, by their arrivals.
private struct ArrivalInterval {
  /// Nanoseconds.
  private(set) var interval: Int64
  private var start: Int64?
  private var last: Int64 = 0
  private var frames: Int64 = 0

  /// A minute: no camera is slower, and sums cannot overflow.
  private static let longest: Int64 = 60_000_000_000

  init(_ promised: Int64) { interval = min(max(1, promised), Self.longest) }

  /// - Parameter frames: how many intervals ended: more than one where frames are missing.
  /// - Returns: whether there was a pause, which is no interval.
  mutating func add(_ time: Int64, frames new: Int64) -> Bool {
    defer { last = time }
    guard let start, time >= last, time - last <= max(1_000_000_000, 8 * interval) else {
      (start, frames) = (time, 0)
      return true
    }
    frames += min(new, 1000)
    let mean = min(max(1, (time - start) / frames), Self.longest)
    // A few frames tell only that a promise is far from true.
    interval = frames >= 8 ? mean : min(interval, 4 * mean)
    if frames >= 32 {
      self.start = start + (time - start) / 2
      frames -= frames / 2
    }
    return false
  }
}
