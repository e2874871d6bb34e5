import LinuxIO
import Statistics

/// A benchmark's result as a page that needs nothing else: its pictures are SVG within it.
struct BenchPage {
  private let report: BenchReport

  init(_ report: BenchReport) { self.report = report }

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>streamer bench: \(Self.escaped(report.camera))</title>
    <style>
    body { font: 16px/1.5 sans-serif; color: #1c2330; background: #fff; max-width: 60rem; margin: 0 auto; padding: 1rem }
    h1 { font-size: 1.4rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin-top: 2rem }
    pre { overflow-x: auto; background: #f3f5f8; padding: .8rem; font-size: .8rem } svg { width: 100%; height: auto }
    </style></head><body>
    <h1>\(Self.escaped(report.camera))</h1>
    <pre>\(Self.escaped(report.table))</pre>
    \(sections.joined(separator: "\n"))
    </body></html>

    """
  }

  private var sections: [String] {
    var sections = report.latencies.map { stage, times in
      "<h2>\(Self.escaped(stage.title)): frames by microseconds</h2>\n\(histogram(times))"
    }
    sections.append(
      "<h2>Every frame: milliseconds from the driver's timestamp to dequeued, and to given back</h2>\n\(timeline)")
    sections.append("<h2>The share of frames that are later than so many microseconds</h2>\n\(shares)")
    return sections
  }

  private static let width = 800.0
  private static let height = 240.0
  private static let left = 60.0
  private static let bottom = 30.0
  private static let colours = ["#2f6db0", "#b0562f", "#2f7d4f", "#8a4fa8", "#8a7a2f"]

  private func histogram(_ times: Distribution) -> String {
    let columns = 40
    let top = max(times.percentile(0.999), times.min + 1)
    let step = max(1, (top - times.min + UInt64(columns) - 1) / UInt64(columns))
    var counts = [UInt64](repeating: 0, count: columns)
    for each in times.steps {
      counts[min(columns - 1, Int((each.value - min(each.value, times.min)) / step))] += each.count
    }
    let most = Double(max(1, counts.max() ?? 1))
    let wide = (Self.width - Self.left) / Double(columns)
    let bars = counts.enumerated().map { column, count in
      let high = Double(count) / most * (Self.height - Self.bottom - 10)
      return Self.box(Self.left + Double(column) * wide, Self.height - Self.bottom - high, wide - 2, high)
    }
    let last = times.min + UInt64(columns) * step
    return Self.picture(bars + axes(from: Double(times.min) / 1000, to: Double(last) / 1000, most: most))
  }

  private var timeline: String {
    let samples = report.result.timeline
    guard let first = samples.first, let last = samples.last, samples.count > 1 else { return "" }
    let span = Double(max(1, last.timestamp - first.timestamp))
    let lates = samples.flatMap { [$0.takenAt - $0.timestamp, max(0, $0.doneAt - $0.timestamp)] }
    let most = Double(max(1, lates.max() ?? 1))
    func points(_ time: (Measurement.Sample) -> Int64, _ colour: String) -> String {
      let places = samples.filter { time($0) > 0 }.map { sample in
        let x = Self.left + Double(sample.timestamp - first.timestamp) / span * (Self.width - Self.left - 10)
        let y = Self.place(Double(time(sample) - sample.timestamp) / most)
        return "<circle cx=\"\(Self.short(x))\" cy=\"\(Self.short(y))\" r=\"1.6\" fill=\"\(colour)\"/>"
      }
      return places.joined()
    }
    return Self.picture(
      [points(\.doneAt, Self.colours[1]), points(\.takenAt, Self.colours[0])]
        + axes(from: 0, to: span / 1e9, most: most / 1e6))
  }

  /// Of each stage, on logarithmic scales.
  private var shares: String {
    let all = report.latencies
    let most = max(10, Double(all.map(\.times.max).max() ?? 1) / 1000)
    let decades = most.decimalLogarithm.rounded(.up)
    let lines = all.enumerated().map { index, each in
      var left = each.times.count
      let points = each.times.steps.map { step in
        let share = Double(left) / Double(each.times.count)
        left -= step.count
        let x = Self.left + max(1, Double(step.value) / 1000).decimalLogarithm / decades * (Self.width - Self.left - 10)
        return "\(Self.short(x)),\(Self.short(Self.place(max(0, 1 + share.decimalLogarithm / 5))))"
      }
      let colour = Self.colours[index % Self.colours.count]
      return
        "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" points=\"\(points.joined(separator: " "))\"/>"
        + Self.text(Self.left + 10, 16 + 15 * Double(index), each.stage.title, colour: colour)
    }
    let ticks = (0...Int(decades)).map { decade in
      Self.text(
        Self.left + Double(decade) / decades * (Self.width - Self.left - 60), Self.height - 10,
        "1" + String(repeating: "0", count: decade) + " µs")
    }
    let marks = ["all", "10 %", "1 %", "0.1 %", "0.01 %"].enumerated().map { index, name in
      Self.text(4, Self.place(1 - Double(index) / 5) + 4, name)
    }
    return Self.picture(lines + ticks + marks)
  }

  private func axes(from first: Double, to last: Double, most: Double) -> [String] {
    let marks = (0...4).map { mark in
      let share = Double(mark) / 4
      return Self.text(
        Self.left + share * (Self.width - Self.left - 60), Self.height - 10, Self.short(first + share * (last - first)))
    }
    return marks + [Self.text(4, 16, Self.short(most)), Self.text(4, Self.height - Self.bottom, "0")]
  }

  // MARK: SVG

  private static func picture(_ parts: [String]) -> String {
    "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" font-size=\"13\" fill=\"#2f6db0\">\(parts.joined())</svg>"
  }

  private static func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> String {
    "<rect x=\"\(short(x))\" y=\"\(short(y))\" width=\"\(short(width))\" height=\"\(short(height))\"/>"
  }

  private static func text(_ x: Double, _ y: Double, _ text: String, colour: String = "#555") -> String {
    "<text x=\"\(short(x))\" y=\"\(short(y))\" fill=\"\(colour)\">\(escaped(text))</text>"
  }

  /// Where a share of the height is.
  private static func place(_ share: Double) -> Double { height - bottom - share * (height - bottom - 10) }

  /// One place behind the point.
  private static func short(_ value: Double) -> String { JSON.number((value * 10).rounded() / 10).description }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}
