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
    pre { overflow-x: auto; background: #f3f5f8; padding: .8rem; font-size: .8rem }
    svg { display: block; width: 100%; max-width: 42rem; height: auto } b { white-space: nowrap; margin-right: 1em }
    table { border-collapse: collapse; font-size: .8rem } td { text-align: right } th { font-weight: normal; text-align: left }
    td, th { padding: .2rem .3rem; border-bottom: 1px solid #dde }
    @media (max-width: 26rem) { body { padding: .5rem } table { font-size: .7rem } td, th { padding: .2rem .15rem } }
    </style></head><body>
    <h1>\(Self.escaped(report.camera))</h1>
    \(figures)
    \(sections.joined(separator: "\n"))
    <h2>As printed</h2>
    <pre>\(Self.escaped(report.table))</pre>
    </body></html>

    """
  }

  private var figures: String {
    let titles = (["min"] + Distribution.parts.map(\.name) + ["max"]).map { "<td>\($0)</td>" }
    let rows = report.latencies.map { stage, times in
      let values = [times.min] + Distribution.parts.map { times.percentile($0.part) } + [times.max]
      return "<tr><th>\(Self.escaped(stage.title))</th>"
        + values.map { "<td>\(Self.figure(Double($0) / 1000))</td>" }.joined() + "</tr>"
    }
    return "<table><tr><th>microseconds</th>\(titles.joined())</tr>\n\(rows.joined(separator: "\n"))</table>"
  }

  private var sections: [String] {
    var sections = report.latencies.map { stage, times in
      "<h2>\(Self.escaped(stage.title)): frames by microseconds</h2>\n\(histogram(times))"
    }
    sections.append(
      "<h2>\(crowd == 1 ? "Every frame" : "The slowest of each \(crowd) frames"): milliseconds from the driver's timestamp</h2>\n\(Self.legend(["to dequeued", "to given back"]))\n\(timeline)"
    )
    sections.append(
      "<h2>The share of frames that are later than so many microseconds</h2>\n\(Self.legend(report.latencies.map(\.stage.title)))\n\(shares)"
    )
    return sections
  }

  // Small, so that texts can still be read where a phone makes them smaller.
  private static let width = 480.0
  private static let height = 200.0
  private static let left = 56.0
  private static let right = 10.0
  private static let bottom = 30.0
  private static let top = 14.0
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
    let wide = Self.across(1 / Double(columns)) - Self.left
    let bars = counts.enumerated().map { column, count in
      let high = Self.place(0) - Self.place(Double(count) / most)
      return Self.box(Self.across(Double(column) / Double(columns)), Self.place(0) - high, wide - 1, high)
    }
    let last = times.min + UInt64(columns) * step
    return Self.picture(
      axes(from: Double(times.min) / 1000, to: Double(last) / 1000, unit: "µs", most: most) + bars)
  }

  /// Frames that one place of the timeline stands for.
  private var crowd: Int { max(1, (report.result.timeline.count + Self.places - 1) / Self.places) }
  private static let places = 3000

  private var timeline: String {
    let all = report.result.timeline
    let samples = stride(from: 0, to: all.count, by: crowd).compactMap { start in
      all[start..<min(start + crowd, all.count)].max {
        max($0.takenAt, $0.doneAt) - $0.timestamp < max($1.takenAt, $1.doneAt) - $1.timestamp
      }
    }
    guard let first = samples.first, let last = samples.last, samples.count > 1 else { return "" }
    let span = Double(max(1, last.timestamp - first.timestamp))
    let lates = samples.flatMap { [$0.takenAt - $0.timestamp, max(0, $0.doneAt - $0.timestamp)] }
    let most = Double(max(1, lates.max() ?? 1))
    func points(_ time: (Measurement.Sample) -> Int64, _ colour: String) -> String {
      let places = samples.filter { time($0) > 0 }.map { sample in
        let x = Self.across(Double(sample.timestamp - first.timestamp) / span)
        let y = Self.place(Double(time(sample) - sample.timestamp) / most)
        return "<circle cx=\"\(Self.short(x))\" cy=\"\(Self.short(y))\" r=\"1.6\" fill=\"\(colour)\"/>"
      }
      return places.joined()
    }
    return Self.picture(
      axes(from: 0, to: span / 1e9, unit: "s", most: most / 1e6)
        + [points(\.doneAt, Self.colours[1]), points(\.takenAt, Self.colours[0])])
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
        let x = Self.across(max(1, Double(step.value) / 1000).decimalLogarithm / decades)
        return "\(Self.short(x)),\(Self.short(Self.place(max(0, 1 + share.decimalLogarithm / 5))))"
      }
      // The later ones are thinner, so that those below them show.
      let colour = Self.colours[index % Self.colours.count]
      return
        "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"\(all.count - index + 1)\" points=\"\(points.joined(separator: " "))\"/>"
    }
    let ticks = (0...Int(decades)).map { decade in
      let value = decade < 6 ? "1" + String(repeating: "0", count: decade) : "1e\(decade)"
      return Self.mark(Double(decade) / decades, decade == Int(decades) ? "\(value) µs" : value)
    }
    let marks = ["all", "10 %", "1 %", "0.1 %", "0.01 %"].enumerated().map { index, name in
      Self.level(1 - Double(index) / 5, name)
    }
    return Self.picture(marks + ticks + lines)
  }

  private func axes(from first: Double, to last: Double, unit: String, most: Double) -> [String] {
    let marks = (0...4).map { mark in
      let share = Double(mark) / 4
      let value = Self.figure(first + share * (last - first))
      return Self.mark(share, mark == 4 ? "\(value) \(unit)" : value)
    }
    return marks + [Self.level(1, Self.figure(most)), Self.level(0, "0")]
  }

  // MARK: SVG

  private static func picture(_ parts: [String]) -> String {
    "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" font-size=\"13\" fill=\"\(colours[0])\">\(parts.joined())</svg>"
  }

  /// What the colours are.
  private static func legend(_ names: [String]) -> String {
    let names = names.enumerated().map { index, name in
      "<b style=\"color: \(colours[index % colours.count])\">\(escaped(name))</b> "
    }
    return "<p>\(names.joined())</p>"
  }

  /// A value below its place.
  private static func mark(_ share: Double, _ text: String) -> String {
    let anchor = share == 0 ? "start" : share == 1 ? "end" : "middle"
    return line(across(share), place(0), across(share), place(0) + 5)
      + self.text(across(share), height - 10, text, anchor: anchor)
  }

  /// A value at the left of its level.
  private static func level(_ share: Double, _ text: String) -> String {
    line(left, place(share), width - right, place(share)) + self.text(left - 5, place(share) + 5, text, anchor: "end")
  }

  private static func line(_ x: Double, _ y: Double, _ toX: Double, _ toY: Double) -> String {
    "<path d=\"M\(short(x)) \(short(y))L\(short(toX)) \(short(toY))\" stroke=\"#ccd\"/>"
  }

  private static func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> String {
    "<rect x=\"\(short(x))\" y=\"\(short(y))\" width=\"\(short(width))\" height=\"\(short(height))\"/>"
  }

  private static func text(_ x: Double, _ y: Double, _ text: String, anchor: String) -> String {
    "<text x=\"\(short(x))\" y=\"\(short(y))\" fill=\"#555\" text-anchor=\"\(anchor)\">\(escaped(text))</text>"
  }

  /// Where a share of the width is.
  private static func across(_ share: Double) -> Double { left + share * (width - left - right) }

  /// Where a share of the height is.
  private static func place(_ share: Double) -> Double { height - bottom - share * (height - bottom - top) }

  /// One place behind the point.
  private static func short(_ value: Double) -> String { JSON.number((value * 10).rounded() / 10).description }

  /// As many places behind the point as say something.
  private static func figure(_ value: Double) -> String {
    let scale: Double = value >= 100 ? 1 : value >= 10 ? 10 : 100
    return JSON.number((value * scale).rounded() / scale).description
  }

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
