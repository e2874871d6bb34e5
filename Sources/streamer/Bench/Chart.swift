import LinuxIO
import Statistics

/// A chart as SVG: two axes, and what is drawn between them.
struct Chart {
  private let x: Axis
  private let y: Axis
  private var parts: [String] = []

  // Small, so that texts can still be read where a phone shows them smaller.
  private static let width = 480.0
  private static let height = 250.0
  private static let left = 62.0
  private static let right = 28.0
  private static let top = 28.0
  private static let bottom = 46.0

  /// - Parameter note: what the chart does not show.
  init(x: Axis, y: Axis, note: String = "") {
    self.x = x
    self.y = y
    for tick in x.ticks {
      let place = place(tick.value, y.range.first)
      rule(from: place, to: (place.x, place.y + 5))
      text(place.x, place.y + 19, tick.text, anchor: "middle")
    }
    for tick in y.ticks {
      let place = place(x.range.first, tick.value)
      rule(from: place, to: (Self.width - Self.right, place.y))
      text(Self.left - 6, place.y + 5, tick.text, anchor: "end")
    }
    text((Self.left + Self.width - Self.right) / 2, Self.height - 8, x.title, anchor: "middle")
    text(2, 13, y.title, anchor: "start")
    if !note.isEmpty { text(Self.width - 2, 13, note, anchor: "end") }
  }

  var svg: String {
    "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" font-size=\"13\">\(parts.joined())</svg>"
  }

  /// A bar from the x axis up.
  mutating func bar(from: Double, to: Double, up: Double, colour: String) {
    let (start, end) = (place(from, up), place(to, y.range.first))
    parts.append(
      "<rect x=\"\(Self.short(start.x))\" y=\"\(Self.short(start.y))\" width=\"\(Self.short(end.x - start.x - 0.6))\""
        + " height=\"\(Self.short(end.y - start.y))\" fill=\"\(colour)\"/>")
  }

  mutating func dots(_ points: [(x: Double, y: Double)], colour: String, width: Double) {
    let path = points.map { "M\(Self.short(place($0.x, $0.y)))h0" }.joined()
    parts.append(Self.stroke(path, colour, width, "stroke-linecap=\"round\""))
  }

  /// Triangles at the chart's upper edge, for points above it.
  mutating func outliers(at values: [Double], colour: String) {
    let path = values.map { value in
      let (x, y) = place(value, y.range.last)
      return "M\(Self.short((x - 4, y)))l4 -7l4 7z"
    }
    parts.append("<path d=\"\(path.joined())\" fill=\"\(colour)\"/>")
  }

  mutating func line(_ points: [(x: Double, y: Double)], colour: String, width: Double) {
    let path = points.enumerated().map { "\($0 == 0 ? "M" : "L")\(Self.short(place($1.x, $1.y)))" }.joined()
    parts.append(Self.stroke(path, colour, width, "stroke-linejoin=\"round\""))
  }

  /// Where two values meet, in the chart's units.
  func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    (
      Self.left + self.x.position(x) * (Self.width - Self.left - Self.right),
      Self.height - Self.bottom - self.y.position(y) * (Self.height - Self.top - Self.bottom)
    )
  }

  private mutating func rule(from: (x: Double, y: Double), to: (x: Double, y: Double)) {
    parts.append(Self.stroke("M\(Self.short(from))L\(Self.short(to))", "#ccd", 1))
  }

  private mutating func text(_ x: Double, _ y: Double, _ text: String, anchor: String) {
    parts.append(
      "<text x=\"\(Self.short(x))\" y=\"\(Self.short(y))\" fill=\"#444\" text-anchor=\"\(anchor)\">\(text.escapedForHTML)</text>"
    )
  }

  private static func stroke(_ path: String, _ colour: String, _ width: Double, _ more: String = "") -> String {
    "<path d=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"\(short(width))\" \(more)/>"
  }

  private static func short(_ place: (x: Double, y: Double)) -> String { "\(short(place.x)) \(short(place.y))" }

  private static func short(_ value: Double) -> String { JSON.number((value * 10).rounded() / 10).description }
}

extension String {
  /// As text or as an attribute's value in HTML.
  var escapedForHTML: String {
    printableLines.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
}
