import V4L2Capture

/// When a frame of libcamera's was captured, on CLOCK_MONOTONIC.
///
/// SensorTimestamp is of CLOCK_BOOTTIME by its description; in fact the pipelines hand on what drivers say, which is
/// CLOCK_MONOTONIC's. The two differ by the time that the machine was suspended: a frame of the future is none of the one,
/// and is tried as the other.
struct SensorTime: Equatable {
  let nanoseconds: Int64
  let source: TimestampSource

  /// What a frame may be old, and still be believed.
  private static let oldest: Int64 = 10_000_000_000

  init(_ nanoseconds: Int64, _ source: TimestampSource) {
    self.nanoseconds = nanoseconds
    self.source = source
  }

  /// - Parameters:
  ///   - sensor: SensorTimestamp; 0 where there is none.
  ///   - buffer: the buffer's own.
  ///   - now: CLOCK_MONOTONIC.
  ///   - suspended: by how much CLOCK_BOOTTIME is ahead.
  init(sensor: Int64, buffer: Int64, now: Int64, suspended: @autoclosure () -> Int64) {
    func isPlausible(_ time: Int64) -> Bool { time > 0 && (now - Self.oldest...now).contains(time) }
    if isPlausible(sensor) {
      (nanoseconds, source) = (sensor, .sensor)
    } else if sensor > now, case let time = sensor &- suspended(), isPlausible(time) {
      (nanoseconds, source) = (time, .sensor)
    } else if isPlausible(buffer) {
      (nanoseconds, source) = (buffer, .buffer)
    } else {
      (nanoseconds, source) = (now, .unknown)
    }
  }
}
