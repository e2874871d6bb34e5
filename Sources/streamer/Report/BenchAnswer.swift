import Statistics

/// How late a camera's frames are, as one sentence: how long after its capture a frame is as far as was measured.
struct BenchAnswer {
  private let report: BenchReport
  private let stage: Stage
  private let times: Distribution

  /// From the earliest instant to the latest one, whatever was measured.
  private static let order: [Stage] = [
    .shownToReceived, .driverToReceived, .driverToLastPacket, .driverToDequeue, .dequeueToLastPacket, .dequeueToRequeue,
  ]

  /// - Returns: nil where nothing was measured that answers it.
  init?(_ report: BenchReport) {
    let all = report.latencies
    let found = Self.order.lazy.compactMap { stage in all.first { $0.stage == stage } }.first
    guard let found else { return nil }
    self.report = report
    (stage, times) = found
  }

  /// Such as `How late is /dev/video0? 5.21 ms (p50), 9.4 ms (p99)`.
  var title: String { "How late is \(report.camera)? \(text(0.5)) \(unit) (p50), \(text(0.99)) \(unit) (p99)" }

  /// Without its full stop.
  var sentence: String {
    "Half of the frames are \(end) within \(text(0.5)) \(unit) of \(start) (p50; 95 % confidence:"
      + " \(interval(0.5))), and 99 of 100 within \(text(0.99)) \(unit) (p99; \(interval(0.99)))"
  }

  private var start: String {
    switch stage {
    case .shownToReceived: "the time that they show"
    case _ where !stage.isFromDriver: "being dequeued, since the driver's timestamps are of no known clock"
    case _ where report.hasOwnTimer: "this program's own timer, which stands for a camera"
    default: "the driver's timestamp"
    }
  }

  private var end: String {
    switch stage {
    case .shownToReceived, .driverToReceived: "received whole"
    case .driverToLastPacket, .dequeueToLastPacket: "sent"
    case .dequeueToRequeue: "returned to the driver"
    default: "dequeued"
    }
  }

  private var scale: Double { times.percentile(0.99) < 1_000_000 ? 1e3 : 1e6 }
  private var unit: String { scale == 1e3 ? "µs" : "ms" }

  private func text(_ part: Double) -> String { text(times.percentile(part)) }
  private func text(_ nanoseconds: UInt64) -> String { (Double(nanoseconds) / scale).figure }
  private func interval(_ part: Double) -> String { times.intervalText(part, text) }
}

extension BenchReport {
  /// How late the frames are; nil where that was not measured.
  var answer: BenchAnswer? { BenchAnswer(self) }
}

extension Distribution {
  /// Where a percentile lies with 95 % confidence, such as `5.1-5.3`; `≥5.1` where there are too few values for an upper end.
  /// - Parameter text: how nanoseconds are written.
  func intervalText(_ part: Double, _ text: (UInt64) -> String) -> String {
    let (low, high) = interval(part)
    return high.map { "\(text(low))-\(text($0))" } ?? "≥\(text(low))"
  }
}
