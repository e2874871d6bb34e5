import LinuxIO
import Statistics
import V4L2Capture

/// What a benchmark found, in the forms that it is printed in.
struct BenchReport {
  let camera: String
  let info: SourceInfo
  let result: Measurement.Result
  let timestamps: TimestampSource?
  /// Sending was measured, too.
  let sends: Bool
  /// What a receiver got of it.
  var reception: Reception?
  /// kB.
  let peakResident: Int
  /// There is no driver: its timestamps are those of the program's own timer.
  let hasOwnTimer: Bool
  /// The machine's name.
  let host = Host.name
  /// When it ended, in UTC.
  let date = Clock.date(at: Clock.realtime)
  /// From the driver's timestamp to the last packet, of the frames whose last packet was sent.
  private let sent: Distribution

  /// - Returns: nil where nothing is measured yet.
  init?(_ settings: StreamSettings, _ state: Board.State) {
    guard let info = state.info, let result = state.measured else { return nil }
    camera = settings.camera.label
    self.info = info
    self.result = result
    timestamps = state.timestampSource
    sends = !state.receivers.isEmpty
    peakResident = ResourceUsage.peakResident
    hasOwnTimer =
      switch settings.camera {
      case .test, .file: true
      case .device, .libcamera: false
      }
    var sent = Histogram()
    for sample in result.timeline where sample.sentAt > 0 { sent.record(sample.sentAt &- sample.timestamp) }
    self.sent = sent.distribution
  }

  /// Stages but for the interval between frames, which is no latency.
  var latencies: [(stage: Stage, times: Distribution)] {
    let all = result.stages + [(.driverToLastPacket, sent)] + (reception?.stages ?? [])
    return all.filter { stage, times in
      // Where the driver's clock is not known, there is nothing to measure from.
      stage != .frameInterval && times.count > 0 && !(timestamps == .unknown && stage.isFromDriver)
    }
  }

  /// For people.
  func title(_ stage: Stage) -> String { hasOwnTimer ? stage.titleOfOwnTimer : stage.title }

  private var interval: Distribution? { result.stages.first { $0.stage == .frameInterval }?.times }

  /// Nanoseconds from frame to frame, but where the camera left one out.
  private var spread: (mean: Double, deviation: Double)? {
    interval.map { $0.spread(below: Double($0.percentile(0.5)) * Rhythm.gap) }
  }

  private var framesPerSecond: Double {
    Double(result.statistics.captured - 1) / (Double(max(1, result.duration)) / 1e9)
  }

  private func aFrame(_ total: Int64) -> Double { Double(total) / Double(result.statistics.captured) }

  // MARK: For people

  var table: String {
    var lines = [camera, info.description]
    lines.append("timestamps: \(timestampText)")
    lines.append("\(date), \(host), streamer \(version)")
    if let answer { lines += ["", "\(answer.sentence)."] }
    lines.append("")
    lines.append("\(result.statistics.captured) frames at \(framesPerSecond.decimal(2)) fps\(jitterText)")
    let statistics = result.statistics
    lines.append("\(statistics.dropped) dropped\(statistics.dropped > 0 ? " (\(statistics.dropText))" : "")")
    if sends { lines.append(sendingText) }
    if let reception { lines.append(reception.text) }
    if result.neverSent > 0 {
      lines.append("\(result.neverSent) never sent by the camera, by the intervals between its frames")
    }
    if result.ahead > 0 {
      lines.append("\(result.ahead) stamped later than they were there: the driver's clock is wrong")
    }
    lines += [""] + percentiles + ["", costText, "", bars]
    return lines.joined(separator: "\n") + "\n"
  }

  /// What the timestamps are.
  var timestampText: String {
    hasOwnTimer ? "of this program's own timer, since \(camera) is no camera" : timestamps?.text ?? "not known yet"
  }

  /// Each stage's percentiles, with their intervals below them.
  private var percentiles: [String] {
    let titles = ["min"] + Distribution.parts.map(\.name) + ["max"]
    let rows = latencies.flatMap { stage, times in
      let values = [times.min] + Distribution.parts.map { times.percentile($0.part) } + [times.max]
      return [
        [title(stage)] + values.map(Self.microseconds),
        ["  95 % confidence", ""] + Distribution.parts.map { times.intervalText($0.part, Self.microseconds) },
      ]
    }
    let widths = titles.indices.map { column in
      rows.reduce(11) { $1.count > column + 1 ? max($0, $1[column + 1].count + 2) : $0 }
    }
    return ([["microseconds"] + titles] + rows).map { row in
      zip(row.dropFirst(), widths).reduce((row.first ?? "").padded(to: 38)) { $0 + $1.0.rightAligned(to: $1.1) }
    }
  }

  private static func microseconds(_ nanoseconds: UInt64) -> String { (Double(nanoseconds) / 1000).decimal(1) }

  private var jitterText: String {
    guard let (mean, deviation) = spread else { return "" }
    return ", \((mean / 1e6).decimal(3)) ms apart, give or take \((deviation / 1e6).decimal(3)) ms"
  }

  private var sendingText: String {
    let statistics = result.statistics
    var text = "\(statistics.sent) sent"
    if statistics.sentToSome > 0 { text += " (\(statistics.sentToSome) to some receivers only)" }
    if statistics.partial > 0 { text += ", \(statistics.partial) in part or not at all" }
    if statistics.early > 0 { text += ", \(statistics.early) of them while they came" }
    if statistics.abandoned > 0 { text += ", \(statistics.abandoned) abandoned" }
    if statistics.latePackets > 0 { text += "; \(statistics.latePackets) packets left out, since the socket was full" }
    if statistics.unreachablePackets > 0 { text += "; \(statistics.unreachablePackets) packets to nobody" }
    return text
  }

  private var costText: String {
    let usage = result.usage
    let parts = [
      "a frame: \((aFrame(usage.user) / 1000).decimal(1)) µs of CPU in the program",
      "\((aFrame(usage.system) / 1000).decimal(1)) µs in the kernel",
      "\(aFrame(usage.voluntarySwitches + usage.involuntarySwitches).decimal(2)) context switches",
      "\(aFrame(usage.minorFaults + usage.majorFaults).decimal(3)) page faults",
    ]
    return parts.joined(separator: ", ") + "; \(peakResident) kB resident at most"
      + (reception == nil ? "" : ", the receiver's with it")
  }

  /// The first stage's times as bars: how many frames took how long.
  private var bars: String {
    guard let (stage, times) = latencies.first, times.count > 0 else { return "" }
    let rows = 12
    let top = max(times.percentile(0.99), times.min + 1)
    let width = max(1, (top - times.min + UInt64(rows) - 1) / UInt64(rows))
    var counts = [UInt64](repeating: 0, count: rows + 1)
    for step in times.steps { counts[min(rows, Int((step.value - min(step.value, times.min)) / width))] += step.count }
    let most = max(1, counts.max() ?? 1)
    let lines = counts.enumerated().map { row, count in
      let start = (Double(times.min + UInt64(row) * width) / 1000).decimal(1)
      let bar = String(repeating: "#", count: Int(count * 50 / most))
      return "\(row == rows ? "over" : "from") \(Self.right(start)) \(Self.right("\(count)")) \(bar)"
    }
    return ("\(title(stage)), microseconds and frames:\n" + lines.joined(separator: "\n"))
  }

  private static func right(_ text: String) -> String { " " + text.rightAligned(to: 10) }

  // MARK: For programs

  var json: JSON {
    let statistics = result.statistics
    let drops = DropCause.allCases.filter { statistics[$0] > 0 }.map { ($0.name, JSON.integer(statistics[$0])) }
    let usage = result.usage
    return .object([
      ("version", .string(version)), ("date", .string(date)), ("host", .string(host)),
      ("camera", .string(camera)), ("mode", .string(info.description)),
      ("width", .integer(UInt64(info.size.width))), ("height", .integer(UInt64(info.size.height))),
      ("timestamp_source", timestamps.map { .string($0.key) } ?? .null),
      ("frames", .integer(statistics.captured)), ("fps", .number(framesPerSecond)),
      ("dropped", .integer(statistics.dropped)),
      ("drops", .object(drops + (statistics.stale > 0 ? [("stale", .integer(statistics.stale))] : []))),
      ("never_sent", .integer(result.neverSent)), ("ahead", .integer(result.ahead)),
      ("sent", .integer(statistics.sent)), ("sent_to_some", .integer(statistics.sentToSome)),
      ("sent_in_part", .integer(statistics.partial)),
      ("late_packets", .integer(statistics.latePackets)),
      ("unreachable_packets", .integer(statistics.unreachablePackets)),
      ("early", .integer(statistics.early)), ("abandoned", .integer(statistics.abandoned)),
      ("received", reception?.json ?? .null),
      ("latency_us", .object(latencies.map { ($0.stage.key, $0.times.json) })),
      ("frame_interval_us", interval?.json ?? .null),
      ("jitter_us", spread.map { .number($0.deviation / 1000) } ?? .null),
      ("cpu_us_per_frame", .number(aFrame(usage.user + usage.system) / 1000)),
      ("cpu_user_us_per_frame", .number(aFrame(usage.user) / 1000)),
      ("cpu_system_us_per_frame", .number(aFrame(usage.system) / 1000)),
      ("context_switches_per_frame", .number(aFrame(usage.voluntarySwitches + usage.involuntarySwitches))),
      ("page_faults_per_frame", .number(aFrame(usage.minorFaults + usage.majorFaults))),
      ("rss_peak_kb", .integer(UInt64(peakResident))),
    ])
  }

  var csv: String {
    let header = "stage,count,min_us," + Distribution.parts.map { "\($0.name)_us" }.joined(separator: ",") + ",max_us"
    let rows = (latencies + result.stages.filter { $0.stage == .frameInterval }).map { stage, times in
      let values = [times.min] + Distribution.parts.map { times.percentile($0.part) } + [times.max]
      return "\(stage.key),\(times.count)," + values.map { (Double($0) / 1000).decimal(3) }.joined(separator: ",")
    }
    return ([header] + rows).joined(separator: "\n") + "\n"
  }

  /// A line for each frame: microseconds from the driver's timestamp.
  var times: String {
    let start = result.timeline.first?.timestamp ?? 0
    let rows = result.timeline.enumerated().map { index, sample in
      let ends = [sample.takenAt, sample.doneAt == 0 ? nil : sample.doneAt, reception?.frames[index]?.arrival]
      let shown = reception?.frames[index]?.sinceShown
      let times = ends.map { $0.map { $0 - sample.timestamp } } + (reception?.glass == nil ? [] : [shown])
      let cells = times.map { $0.map { (Double($0) / 1000).decimal(1) } ?? "" }
      return
        "\(sample.sequence),\((Double(sample.timestamp - start) / 1000).decimal(1)),\(cells.joined(separator: ","))"
    }
    let header =
      "sequence,timestamp_us,dequeued_us,requeued_us,received_us" + (reception?.glass == nil ? "" : ",glass_us")
    return ([header] + rows).joined(separator: "\n") + "\n"
  }
}
