import LinuxIO
import RTPCore
import V4L2Capture

/// When to look into the buffer that a camera is filling, and whether that is of use: some drivers show a frame's data as
/// it comes (uvcvideo), others all at once. That is found out with a camera's first frames, which are compared with what
/// was seen of them before they were done; and so is how fast its data comes.
struct Lookout {
  enum Setting: Sendable {
    case auto, on, off
  }

  /// Why looking is of no use.
  enum Obstacle: Sendable {
    /// It shows a frame's data when all is there.
    case unseen
    /// It changes what it wrote.
    case changing
    /// Its frames can't be sent as they are.
    case unfit
  }

  /// What there is to know of a frame that is done.
  struct Frame {
    /// Its capture by the driver, and when it was taken: nanoseconds of CLOCK_MONOTONIC.
    let timestamp: Int64
    let takenAt: Int64
    let bytes: UnsafeRawBufferPointer
    /// Its timestamp is that of its first data.
    let isStamped: Bool
    /// It is the one that was looked at, and no other.
    let isSame: Bool
  }

  private enum State { case trying, using, givenUp }
  private var state: State
  private let isInsisting: Bool
  private(set) var obstacle: Obstacle?
  private var estimate: CaptureEstimate
  private var estimated = Int64.min / 2
  /// Between two frames, in nanoseconds: as it was promised, and as it is in little light.
  private let promised: Int64
  private var interval: Int64
  private var lastTimestamp: Int64?
  /// Bytes of a few packets: what a visit shall find.
  private let portion: Double
  /// How fast data comes, in bytes a nanosecond; 0: unknown.
  private var rate = 0.0
  /// When looking is of no use any longer, for now.
  private var end: Int64 = 0
  /// Of the frame that is being filled.
  private var probe = Probe()
  private var lastBytes = 0
  private var visits = 0
  /// When its first data was seen.
  private(set) var firstSeen: Int64?
  /// When nothing of it was there yet, last.
  private var lastEmpty: Int64?
  private var frames = 0
  private var tries = 0
  private var hits = 0
  /// Frames in a row that could not be sent as they are.
  private var unfits = 0

  /// So many frames must have shown data before they were done, of so many that were looked at; a camera whose frames come
  /// too fast for that is left alone after some more.
  private static let enoughHits = 4
  private static let mostTries = 24
  private static let mostFrames = 300
  private static let mostUnfits = 8
  /// Nanoseconds; a camera that promises a frame every second or more may take twice what it promises.
  private static let longestInterval: Int64 = 2_000_000_000
  /// Nanoseconds between two visits.
  private static let steps: ClosedRange<Double> = 500_000...4_000_000

  /// - Parameters:
  ///   - interval: between two frames, in nanoseconds, where the camera says it.
  ///   - packetSize: in bytes.
  init(_ setting: Setting, interval: Int64?, packetSize: Int) {
    state = setting == .off ? .givenUp : .trying
    isInsisting = setting == .on
    estimate = CaptureEstimate(interval: interval)
    promised = interval ?? 33_333_333
    self.interval = promised
    // A visit finds them, and the next one sends them.
    portion = Double(12 * packetSize)
  }

  /// Frames' data can be sent before they are done.
  var isUsing: Bool { state == .using }
  /// Looking is of no use with this camera.
  var hasGivenUp: Bool { state == .givenUp }

  private var step: Int64 {
    let (least, most) = (Self.steps.lowerBound, Self.steps.upperBound)
    return Int64(rate > 0 ? min(max(portion / rate, least), most) : least)
  }

  /// The buffer was looked into.
  /// - Parameter arrived: nil: what is in it can't be told.
  /// - Returns: when to look again; nil: not before the next frame is done.
  mutating func look(_ arrived: Arrived?, at now: Int64) -> Int64? {
    guard let arrived else { return nil }
    visits += 1
    if arrived.hasBegun {
      if firstSeen == nil { firstSeen = now }
      if state == .trying { probe.add(arrived.bytes) }
      // It is under way, and may take its time, but not for ever.
      if arrived.bytes.count > lastBytes { end = max(end, now + 2 * interval) }
      lastBytes = arrived.bytes.count
    } else {
      lastEmpty = now
    }
    return now < end ? now + step : nil
  }

  /// The capture time of the frame that is being filled, as far as it can be told.
  mutating func timestamp(at now: Int64) -> Int64 {
    estimated = estimate.estimate(seenAt: firstSeen ?? now, emptyAt: lastEmpty)
    return estimated
  }

  /// The capture time of a frame of which nothing was sent before: behind any that was estimated, by a tick of the media
  /// clock at least.
  func timestamp(ofWhole timestamp: Int64) -> Int64 { max(timestamp, estimated + 11_112) }

  /// A frame is done.
  /// - Returns: when to look for the next one; nil: that is of no use.
  mutating func done(_ frame: Frame) -> Int64? {
    estimate.correct(frame.timestamp)
    defer {
      probe = Probe()
      firstSeen = nil
      lastEmpty = nil
      lastBytes = 0
      visits = 0
      lastTimestamp = frame.timestamp
    }
    guard state != .givenUp else { return nil }
    let took = frame.takenAt - frame.timestamp
    if took > 0 {
      let measured = Double(frame.bytes.count) / Double(took)
      rate = rate == 0 ? measured : rate + (measured - rate) / 8
    }
    if state == .trying { judge(frame) }
    guard state != .givenUp else { return nil }
    let observed = lastTimestamp.map { frame.timestamp - $0 } ?? promised
    // In little light a camera gives fewer than it promised; a step back or a pause is no rhythm.
    let isSlower = observed >= promised / 2 * 3 && observed <= max(Self.longestInterval, 2 * promised)
    interval = isSlower ? observed : promised
    let next = frame.timestamp + interval
    end = next + 2 * interval
    return max(frame.takenAt, next) + step / 2
  }

  /// A frame was, or was not, one that can be sent as it is.
  mutating func tell(isUnfit: Bool) {
    unfits = isUnfit ? unfits + 1 : 0
    if unfits >= Self.mostUnfits { giveUp(.unfit) }
  }

  /// Finds out, frame by frame, whether this camera's data can be seen as it comes.
  private mutating func judge(_ frame: Frame) {
    frames += 1
    // Another frame than the one that was looked at, or one that was looked at too little, tells nothing.
    if frame.isSame, visits >= 3 {
      guard probe.agrees(with: frame.bytes) else { return giveUp(.changing) }
      tries += 1
      // Less is of no use; and the timestamp has to be known when the first packet leaves.
      if frame.isStamped, probe.count * 8 > frame.bytes.count { hits += 1 }
    }
    if hits >= Self.enoughHits {
      state = .using
    } else if !isInsisting, tries >= Self.mostTries || frames >= Self.mostFrames {
      giveUp(.unseen)
    }
  }

  private mutating func giveUp(_ obstacle: Obstacle) {
    state = .givenUp
    self.obstacle = obstacle
  }
}

/// What was seen of a frame before it was done, to be compared with what it is.
private struct Probe {
  private(set) var count = 0
  private var sum: UInt64 = 0

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    sum = Self.sum(bytes, count, sum)
    count = max(count, bytes.count & ~7)
  }

  func agrees(with bytes: UnsafeRawBufferPointer) -> Bool {
    count == 0 || bytes.count >= count && Self.sum(UnsafeRawBufferPointer(rebasing: bytes[..<count]), 0, 0) == sum
  }

  private static func sum(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ sum: UInt64) -> UInt64 {
    var sum = sum
    for offset in stride(from: start, to: bytes.count & ~7, by: 8) {
      sum = (sum ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
    }
    return sum
  }
}
