import Statistics

/// The charts of a benchmark's page.
struct BenchCharts {
  private let report: BenchReport
  private let latencies: [(stage: Stage, times: Distribution)]

  init(_ report: BenchReport) {
    self.report = report
    latencies = report.latencies
  }

  /// Each chart with its heading.
  var sections: [String] {
    let histograms = latencies.map { stage, times in
      Self.section(report.title(stage), histogram(times, stage.colour))
    }
    let legend = Self.legend(latencies.map { (report.title($0.stage), $0.stage.colour) })
    return [Self.section("Frames that take longer than a time", legend + shares)] + (timeline.map { [$0] } ?? [])
      + histograms
  }

  private static func section(_ title: String, _ body: String) -> String {
    "<section><h2>\(title.escapedForHTML)</h2>\n\(body)</section>"
  }

  /// What the colours are.
  private static func legend(_ names: [(name: String, colour: String)]) -> String {
    let items = names.map { "<li><i style=\"background: \($0.colour)\"></i>\($0.name.escapedForHTML)</li>" }
    return "<ul>\(items.joined())</ul>\n"
  }

  // MARK: Frames by their times

  private static let columns = 40

  private func histogram(_ times: Distribution, _ colour: String) -> String {
    let last = Double(times.percentile(0.99))
    let x = Axis.durations(from: Double(times.min), to: last)
    let width = (x.range.last - x.range.first) / Double(Self.columns)
    var counts = [UInt64](repeating: 0, count: Self.columns)
    var above: UInt64 = 0
    for step in times.steps {
      if Double(step.value) > x.range.last {
        above += step.count
      } else {
        counts[min(Self.columns - 1, max(0, Int((Double(step.value) - x.range.first) / width)))] += step.count
      }
    }
    let note = above == 0 ? "" : "\(above) longer, up to \(Self.duration(Double(times.max)))"
    var chart = Chart(x: x, y: .counts(to: Double(counts.max() ?? 1), title: "frames"), note: note)
    for (column, count) in counts.enumerated() where count > 0 {
      let start = x.range.first + Double(column) * width
      chart.bar(from: start, to: start + width, up: Double(count), colour: colour)
    }
    return chart.svg
  }

  // MARK: Each frame

  /// Times of each frame that are shown, the last one in the background, each in the colour of a stage that ends there.
  private var series: [(name: String, stage: Stage, times: [Int64?])] {
    let samples = report.result.timeline
    let received = report.reception?.frames ?? []
    func sinceCapture(_ times: [Int64]) -> [Int64?] {
      zip(samples, times).map { $1 > 0 ? max(0, $1 &- $0.timestamp) : nil }
    }
    let all = [
      ("dequeued", Stage.driverToDequeue, sinceCapture(samples.map(\.takenAt))),
      ("returned to the driver", .dequeueToRequeue, sinceCapture(samples.map(\.doneAt))),
      ("last packet sent", .driverToLastPacket, sinceCapture(samples.map(\.sentAt))),
      ("received whole", .driverToReceived, sinceCapture(received.map { $0?.arrival ?? 0 })),
    ]
    return all.filter { $0.2.contains { $0 != nil } }
  }

  /// Places on the x axis, so that a page of many frames stays small.
  private static let places = 1000

  private var timeline: String? {
    let samples = report.result.timeline
    guard let first = samples.first, let last = samples.last, samples.count > 1 else { return nil }
    let x = Axis.durations(from: 0, to: Double(max(1, last.timestamp &- first.timestamp)))
    let crowd = (samples.count + Self.places - 1) / Self.places
    let series = self.series
    let all = series.flatMap { $0.times.compactMap { $0 } }.sorted()
    guard let most = all.last else { return nil }
    // A few frames must not press all others to the axis.
    let usual = all[all.count * 99 / 100]
    let y = Axis.durations(from: 0, to: Double(most / 3 > usual ? usual * 2 : most))
    let note = Double(most) > y.range.last ? "▲ longer, up to \(Self.duration(Double(most)))" : ""
    var chart = Chart(
      x: x.titled("\(x.title) since the first frame"), y: y.titled("\(y.title) since \(origin)"), note: note)
    for (index, each) in series.enumerated().reversed() {
      let points = stride(from: 0, to: samples.count, by: crowd).compactMap { start -> (x: Double, y: Double)? in
        let range = start..<min(start + crowd, samples.count)
        guard let slowest = range.max(by: { each.times[$0] ?? -1 < each.times[$1] ?? -1 }),
          let time = each.times[slowest]
        else { return nil }
        return (Double(samples[slowest].timestamp &- first.timestamp), Double(time))
      }
      let isIn = { (point: (x: Double, y: Double)) in point.y <= y.range.last }
      let width = (samples.count > 100 ? 2 : 4) + 1.2 * Double(index)
      chart.dots(points.filter(isIn), colour: each.stage.colour, width: width)
      chart.outliers(at: points.filter { !isIn($0) }.map(\.x), colour: each.stage.colour)
    }
    let legend = Self.legend(series.map { ($0.name, $0.stage.colour) })
    return Self.section(crowd == 1 ? "Each frame" : "The slowest of each \(crowd) frames", legend + chart.svg)
  }

  /// What each frame's times begin at.
  private var origin: String {
    report.timestamps == .unknown
      ? "dequeued" : report.hasOwnTimer ? "this program's own timer" : "the driver's timestamp"
  }

  // MARK: Shares of frames

  private var shares: String {
    let x = Axis.decades(
      from: Double(latencies.map(\.times.min).min() ?? 1), to: Double(latencies.map(\.times.max).max() ?? 1),
      title: "longer than")
    let y = Axis.shares(of: latencies.map(\.times.count).max() ?? 1, title: "frames")
    var chart = Chart(x: x, y: y)
    let curves = latencies.map { Self.curve($0.times) }
    // One that lies below others is wider than those, so that it is seen on both sides of them.
    var levels = [Int](repeating: 0, count: curves.count)
    for index in curves.indices.reversed() {
      let covering = curves.indices.filter { $0 > index && Self.isNear(latencies[$0].times, latencies[index].times, x) }
      levels[index] = covering.map { levels[$0] + 1 }.max() ?? 0
    }
    for (index, curve) in curves.enumerated() {
      chart.line(curve, colour: latencies[index].stage.colour, width: 1.6 + 2 * Double(levels[index]))
    }
    return chart.svg
  }

  /// Steps down from all frames to none.
  private static func curve(_ times: Distribution) -> [(x: Double, y: Double)] {
    var left = times.count
    return times.steps.flatMap { step in
      let before = left
      left -= step.count
      return [before, left].map { (x: Double(step.value), y: Double($0) / Double(times.count)) }
    }
  }

  /// Whether their curves touch, and not at one place alone.
  private static func isNear(_ one: Distribution, _ other: Distribution, _ x: Axis) -> Bool {
    let near = [0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 1].filter { part in
      abs(x.position(Double(one.percentile(part))) - x.position(Double(other.percentile(part)))) < 0.01
    }
    return near.count > 1
  }

  private static func duration(_ nanoseconds: Double) -> String {
    nanoseconds < 1e6 ? "\((nanoseconds / 1e3).figure) µs" : "\((nanoseconds / 1e6).figure) ms"
  }
}

extension Stage {
  /// Its colour in charts, as far from the others' as can be.
  fileprivate var colour: String {
    switch self {
    case .driverToDequeue: "#0072b2"
    case .dequeueToFirstPacket: "#d55e00"
    case .dequeueToLastPacket: "#009e73"
    case .dequeueToRequeue: "#7b3fa0"
    case .firstDataToFirstPacket: "#9e9d24"
    case .encoding: "#e0a800"
    case .frameInterval: "#777777"
    case .driverToLastPacket: "#c2185b"
    case .driverToReceived: "#29b6d8"
    case .shownToReceived: "#5d2e0a"
    }
  }
}
