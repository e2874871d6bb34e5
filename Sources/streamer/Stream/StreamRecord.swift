import V4L2Capture

/// What is counted and measured of a camera's frames.
struct StreamRecord: ~Copyable {
  var statistics = StreamStatistics()
  var meter: Meter
  /// The drop causes that were reported already, a bit each.
  private var reportedDrops: UInt32 = 0
  private var hasReportedSingleFields = false
  /// The frames that had been captured at the last check.
  private var checkedFrames: UInt64 = 0

  init(_ measurement: Measurement?) { meter = Meter(measurement) }

  /// A frame came.
  /// - Parameters:
  ///   - isNext: the frame that came last is the one before it.
  ///   - missing: how many frames are missing before it.
  ///   - workedThrough: see `Source.workedThrough`.
  mutating func count(_ frame: borrowing Frame, isNext: Bool, missing: UInt64, workedThrough: UInt64?) {
    switch meter.count(frame, isNext: isNext) {
    case .warmingUp, .measuring:
      statistics.count(missing: missing, workedThrough: workedThrough)
      statistics.captured += 1
    case .starting:
      // What came before does not count.
      if meter.isLimited { statistics = StreamStatistics() }
      statistics.captured += 1
    case .done: break
    }
  }

  /// Whether a cause of dropped frames came that is not reported yet, a way of re-coding, or a first single field.
  mutating func hasNews(_ recoding: FrameReader.Recoding) -> Bool {
    let before = statistics.recoding
    statistics.recoding = recoding
    let hasNewFields = statistics.singleFields > 0 && !hasReportedSingleFields
    hasReportedSingleFields = statistics.singleFields > 0
    return recoding.isNews(since: before) || statistics.newDrops(since: &reportedDrops) || hasNewFields
  }

  /// Whether no frame was captured since the last call.
  mutating func isStandingStill() -> Bool {
    defer { checkedFrames = statistics.captured }
    return statistics.captured == checkedFrames
  }
}
