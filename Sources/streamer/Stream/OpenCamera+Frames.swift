import LinuxIO
import V4L2Capture

/// Which of a camera's frames is sent next.
extension OpenCamera {
  /// More than any driver's queue holds: a camera that is faster than the loop must not starve other events.
  private static var maximumQueued: Int { 32 }

  /// The frame that is to be sent now: where the loop is behind, the newest, if the older ones need not be sent.
  /// - Parameter heldUntil: until when frames were not waited for, in nanoseconds of CLOCK_MONOTONIC.
  mutating func nextFrame(
    _ session: inout RTPSession, _ record: inout StreamRecord, keepsAll: Bool, heldUntil: Int64
  ) throws -> Frame? {
    guard var frame = try source.next() else { return nil }
    guard judge(frame, &record, heldUntil) else {
      if session.arriving != nil { session.endFrame(&record) }
      return nil
    }
    guard !keepsAll, source.isQueue, lateness.isLate(Clock.monotonic - frame.timestamp) else { return frame }
    // What is in flight is staler still; what is only arriving may be this very frame.
    if session.isSending { session.endFrame(&record) }
    for _ in 0..<Self.maximumQueued {
      guard let newer = nextQueued() else { break }
      guard judge(newer, &record, heldUntil) else { continue }
      record.statistics.stale += 1
      frame = newer
      // Its buffer may be filled again by now.
      if session.arriving != nil { session.endFrame(&record) }
    }
    return frame
  }

  /// A camera that fails now is found out when the next frame is due.
  private func nextQueued() -> Frame? {
    do { return try source.next() } catch { return nil }
  }

  /// Counts a frame, and what is missing before it. One that comes after a newer one would set receivers back: it is not
  /// sent, and was counted as missing already.
  private mutating func judge(_ frame: borrowing Frame, _ record: inout StreamRecord, _ heldUntil: Int64) -> Bool {
    guard case .next(let missing) = gaps.judge(frame.sequence, at: frame.timestamp) else { return false }
    // Those that came to be due while the source was not waited for came too fast for this program.
    let isHeld = frame.timestamp < heldUntil
    let workedThrough = source.workedThrough.map { isHeld ? .max : $0 }
    record.count(frame, isNext: gaps.isNext, missing: missing, workedThrough: workedThrough)
    return true
  }
}
