import LinuxIO
import Statistics

/// What of a camera's frames is measured: so many, behind others that are passed over.
struct Measurement: Sendable {
  /// Frames until caches are warm and the camera's exposure is settled.
  let warmUp: UInt64
  let frames: UInt64

  /// The most frames that can be measured, since the times of each are kept.
  static let mostFrames: UInt64 = 1_000_000

  /// What came out of it.
  struct Result: Sendable {
    let stages: [(stage: Stage, times: Distribution)]
    let statistics: StreamStatistics
    /// The camera thread's.
    let usage: ResourceUsage
    /// From the first frame to the last: nanoseconds.
    let duration: Int64
    /// Frames that the camera left out itself.
    let neverSent: UInt64
    /// Frames that were there before their driver's timestamp.
    let ahead: UInt64
    /// Every frame's, in their order; empty as long as it is not over.
    let timeline: [Sample]
  }

  /// One frame's times: nanoseconds of CLOCK_MONOTONIC.
  struct Sample: Sendable {
    /// The driver's number of it.
    let sequence: UInt32
    let timestamp: Int64
    let takenAt: Int64
    /// It was given back; 0 as long as it was not, or at once for a newer one.
    var doneAt: Int64 = 0
    /// Its last packet was handed over to all receivers; 0 where it was not.
    var sentAt: Int64 = 0
    /// That of its packets; nil where it was not sent.
    var rtpTimestamp: UInt32?
  }

  /// How far it is.
  enum Phase { case warmingUp, starting, measuring, done }

  /// - Parameter captured: frames of the camera so far, from 1 on.
  func phase(_ captured: UInt64) -> Phase {
    if captured <= warmUp { return .warmingUp }
    if captured == warmUp + 1 { return .starting }
    return captured <= warmUp + frames ? .measuring : .done
  }
}
