import RTPCore
import V4L2Capture

/// Packets that leave while the camera still fills the frame: whether that is possible, when to poll the driver's buffer,
/// and which capture time such a frame has.
struct EarlySending {
  enum Setting: Sendable {
    case auto, on, off
  }

  private var trial: EarlyTrial
  private var schedule: PollSchedule
  private var estimate: CaptureEstimate
  /// The last capture time that was estimated, in nanoseconds.
  private var estimated = Int64.min / 2
  /// When the first data of the frame that is being filled was seen.
  private(set) var firstSeen: Int64?
  /// When nothing of it was there yet, last.
  private var lastEmpty: Int64?
  /// Start of the buffer polled last; nil if none was polled since the last frame was complete.
  private var polledBuffer: UnsafeRawPointer?
  /// The frame now arriving must wait until it is complete: its header was rejected.
  private var mustWait = false
  /// What was sent of a frame turned out to be no part of its picture.
  private var wasBadlyBegun = false

  /// - Parameters:
  ///   - interval: between two frames, in nanoseconds, where the camera says it.
  ///   - packetSize: in bytes.
  init(_ setting: Setting, interval: Int64?, packetSize: Int) {
    trial = EarlyTrial(setting)
    schedule = PollSchedule(interval: interval, packetSize: packetSize)
    estimate = CaptureEstimate(interval: interval)
  }

  /// The trial has passed: frames' data is sent before they are complete.
  var isOn: Bool { trial.state == .passed }

  /// What has arrived of the frame may be sent.
  var maySend: Bool { isOn && !mustWait }

  /// Polling is of no use with this camera.
  var hasGivenUp: Bool { if case .failed = trial.state { true } else { false } }

  /// Why early packets are not possible, where that was found out.
  var refusal: EarlyTrial.Refusal? { if case .failed(let refusal) = trial.state { refusal } else { nil } }

  /// The buffer was polled.
  /// - Parameter arrived: nil: what is in it cannot be told.
  /// - Returns: when to poll again; nil: not before the next frame is complete.
  mutating func polled(_ arrived: Arrived?, at now: Int64) -> Int64? {
    polledBuffer = arrived?.bytes.baseAddress
    guard let arrived else { return nil }
    trial.polled(arrived)
    if !arrived.hasBegun {
      lastEmpty = now
    } else if firstSeen == nil {
      firstSeen = now
    }
    return schedule.polled(arrived.hasBegun ? arrived.bytes.count : nil, at: now)
  }

  /// The capture time of the frame that is being filled, as far as it can be told.
  mutating func timestamp(at now: Int64) -> Int64 {
    estimated = estimate.estimate(seenAt: firstSeen ?? now, emptyAt: lastEmpty)
    return estimated
  }

  /// The capture time of a frame of which nothing was sent early: after any that was estimated, by a tick of the media
  /// clock at least.
  func timestamp(ofWhole timestamp: Int64) -> Int64 { max(timestamp, estimated + 11_112) }

  /// The header of the frame now arriving cannot be sent before the frame is complete.
  mutating func refuse() { mustWait = true }

  /// A part of a frame was sent that turned out to be no part of its picture.
  mutating func noteBadBeginning() { wasBadlyBegun = true }

  /// A frame is complete.
  /// - Parameters:
  ///   - isNext: no frame is missing before it.
  ///   - isStamped: its timestamp is that of its first data.
  /// - Returns: when to poll for the next one; nil: that is of no use.
  mutating func completed(_ frame: borrowing Frame, isNext: Bool, isStamped: Bool) -> Int64? {
    estimate.correct(frame.timestamp)
    defer {
      (firstSeen, lastEmpty, polledBuffer) = (nil, nil, nil)
      (mustWait, wasBadlyBegun) = (false, false)
    }
    guard !hasGivenUp else { return nil }
    trial.completed(
      frame.bytes, isPolled: isNext && polledBuffer == frame.bytes.baseAddress, isStamped: isStamped)
    schedule.completed(timestamp: frame.timestamp, dequeuedAt: frame.takenAt, byteCount: frame.bytes.count)
    if isOn { trial.note(isUnfit: mustWait || wasBadlyBegun) }
    return hasGivenUp ? nil : schedule.next(after: frame.timestamp, dequeuedAt: frame.takenAt)
  }
}
