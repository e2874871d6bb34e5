import Statistics

/// A benchmark's result as a page that needs no other file: its charts are SVG within it.
struct BenchPage {
  private let report: BenchReport

  init(_ report: BenchReport) { self.report = report }

  var html: String {
    let title = report.answer?.title ?? "How late is \(report.camera)? That was not measured"
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\("\(title) - \(circumstances)".escapedForHTML)</title>
      <style>
      \(Self.style)
      </style></head><body>
      <h1>\(title.escapedForHTML)</h1>
      \(introduction)
      \(figures)
      <main>
      \(BenchCharts(report).sections.joined(separator: "\n"))
      </main>
      <h2>As printed</h2>
      <pre>\(report.table.escapedForHTML)</pre>
      </body></html>

      """
  }

  private static let style = """
    body { font: 16px/1.5 sans-serif; color: #1c2330; background: #fff; margin: 0 auto; padding: 1rem; max-width: 160rem }
    h1 { font-size: 1.4rem; overflow-wrap: anywhere } h2 { font-size: 1rem; margin: 1rem 0 0 } p { overflow-wrap: anywhere }
    main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); gap: 1rem 2rem }
    section { min-width: 0 } svg { display: block; width: 100%; height: auto }
    pre { overflow-x: auto; background: #f3f5f8; padding: .8rem; font-size: .8rem }
    table { border-collapse: collapse; font-size: .9rem; margin: 1.5rem 0 } td { text-align: right } td, th { vertical-align: top }
    th { font-weight: normal; text-align: left } td, th { padding: .2rem .6rem; border-bottom: 1px solid #dde }
    small { display: block; color: #556; font-size: .8em; white-space: nowrap } 
    ul { list-style: none; margin: .3rem 0; padding: 0; font-size: .85rem } li { display: inline-block; margin-right: 1.2em }
    i { display: inline-block; width: .8em; height: .8em; margin-right: .4em }
    @media (max-width: 44rem) { table { font-size: .7rem } td, th { padding: .2rem .15rem } small { white-space: normal } }
    @media (max-width: 26rem) { body { padding: .5rem } }
    """

  private var introduction: String {
    let answer = report.answer?.sentence ?? "Nothing was measured that says how late its frames are"
    return "<p>\("\(answer): \(circumstances).".escapedForHTML)</p>\n"
      + "<p>\("Timestamps: \(report.timestampText).".escapedForHTML)</p>"
  }

  /// What was measured, where, and when.
  private var circumstances: String {
    "\(report.result.statistics.captured) frames, \(report.info.description), on \(report.host),"
      + " until \(report.date), with streamer \(version)"
  }

  /// Each stage's percentiles, with their intervals below them.
  private var figures: String {
    let titles = (["min"] + Distribution.parts.map(\.name) + ["max"]).map { "<td>\($0)</td>" }
    let rows = report.latencies.map { stage, times in
      let percentiles = Distribution.parts.map { part in
        Self.cell(times.percentile(part.part), times.intervalText(part.part, Self.microseconds))
      }
      let cells = [Self.cell(times.min)] + percentiles + [Self.cell(times.max)]
      return "<tr><th>\(report.title(stage).escapedForHTML)</th>\(cells.joined())</tr>"
    }
    return "<table><tr><th>microseconds<small>95 % confidence</small></th>\(titles.joined())</tr>\n"
      + "\(rows.joined(separator: "\n"))</table>"
  }

  private static func cell(_ nanoseconds: UInt64, _ interval: String = "") -> String {
    "<td>\(microseconds(nanoseconds))\(interval.isEmpty ? "" : "<small>\(interval)</small>")</td>"
  }

  private static func microseconds(_ nanoseconds: UInt64) -> String { (Double(nanoseconds) / 1000).figure }
}
