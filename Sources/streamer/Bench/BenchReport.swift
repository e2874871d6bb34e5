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

  /// - Returns: nil where nothing is measured yet.
  init?(_ settings: StreamSettings, _ state: Board.State) {
    guard let info = state.info, let result = state.measured else { return nil }
    camera = settings.camera.label
    self.info = info
    self.result = result
    timestamps = state.timestampSource
    sends = !state.receivers.isEmpty
    peakResident = ResourceUsage.peakResident
  }

  /// Stages but for the interval between frames, which is no latency.
  var latencies: [(stage: Stage, times: Distribution)] {
    result.stages.filter { $0.stage != .frameInterval && (sends || $0.stage != .dequeueToLastPacket) }
      + (reception?.stages ?? [])
  }

  private var interval: Distribution? { result.stages.first { $0.stage == .frameInterval }?.times }

  /// Frames that the camera left out itself: no number is missing for them.
  private var neverSent: UInt64 { interval?.missingBeats ?? 0 }

  private var framesPerSecond: Double {
    Double(result.statistics.captured - 1) / (Double(max(1, result.duration)) / 1e9)
  }

  private func aFrame(_ total: Int64) -> Double { Double(total) / Double(result.statistics.captured) }

  // MARK: For people

  var table: String {
    var lines = [camera, info.description]
    if let timestamps { lines.append("timestamps: \(timestamps.text)") }
    lines.append("")
    lines.append("\(result.statistics.captured) frames at \(framesPerSecond.decimal(2)) fps\(jitterText)")
    let statistics = result.statistics
    lines.append("\(statistics.dropped) dropped\(statistics.dropped > 0 ? " (\(statistics.dropText))" : "")")
    if let reception { lines.append(reception.text) }
    if neverSent > 0 { lines.append("\(neverSent) never sent by the camera, by the intervals between its frames") }
    let titles = ["min"] + Distribution.parts.map(\.name) + ["max"]
    lines += ["", "microseconds".padded(to: 38) + titles.map { Self.right($0) }.joined()]
    for (stage, times) in latencies {
      let values = [times.min] + Distribution.parts.map { times.percentile($0.part) } + [times.max]
      lines.append(stage.title.padded(to: 38) + values.map { Self.right((Double($0) / 1000).decimal(1)) }.joined())
    }
    lines += ["", costText, "", bars]
    return lines.joined(separator: "\n") + "\n"
  }

  private var jitterText: String {
    guard let interval else { return "" }
    let (mean, deviation) = interval.spread
    return ", \((mean / 1e6).decimal(3)) ms apart, give or take \((deviation / 1e6).decimal(3)) ms"
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
    return ("\(stage.title), microseconds and frames:\n" + lines.joined(separator: "\n"))
  }

  private static func right(_ text: String) -> String { " " + text.rightAligned(to: 10) }

  // MARK: For programs

  var json: JSON {
    let statistics = result.statistics
    let drops = DropCause.allCases.filter { statistics[$0] > 0 }.map { ($0.name, JSON.integer(statistics[$0])) }
    let usage = result.usage
    return .object([
      ("camera", .string(camera)), ("mode", .string(info.description)),
      ("width", .integer(UInt64(info.size.width))), ("height", .integer(UInt64(info.size.height))),
      ("timestamp_source", timestamps.map { .string($0.key) } ?? .null),
      ("frames", .integer(statistics.captured)), ("fps", .number(framesPerSecond)),
      ("dropped", .integer(statistics.dropped)),
      ("drops", .object(drops + (statistics.stale > 0 ? [("stale", .integer(statistics.stale))] : []))),
      ("never_sent", .integer(neverSent)),
      ("early", .integer(statistics.early)), ("abandoned", .integer(statistics.abandoned)),
      ("received", reception?.json ?? .null),
      ("latency_us", .object(latencies.map { ($0.stage.key, $0.times.json) })),
      ("frame_interval_us", interval?.json ?? .null),
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
      return "\(index + 1),\((Double(sample.timestamp - start) / 1000).decimal(1)),\(cells.joined(separator: ","))"
    }
    let header = "frame,timestamp_us,dequeued_us,requeued_us,received_us" + (reception?.glass == nil ? "" : ",glass_us")
    return ([header] + rows).joined(separator: "\n") + "\n"
  }
}
