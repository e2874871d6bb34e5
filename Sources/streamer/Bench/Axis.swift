import LinuxIO

/// A chart's axis: where a value lies on it, and which values are written next to it.
struct Axis {
  struct Tick {
    let value: Double
    let text: String
  }

  /// What the numbers at its ticks are.
  private(set) var title: String
  let ticks: [Tick]
  private let first: Double
  private let last: Double
  private var isLogarithmic = false

  /// Where a value lies, from 0 (the axis's start) to 1 (its end). Values beyond an end lie at that end.
  func position(_ value: Double) -> Double {
    let share =
      isLogarithmic
      ? (max(value, first).decimalLogarithm - first.decimalLogarithm)
        / (last.decimalLogarithm - first.decimalLogarithm)
      : (value - first) / (last - first)
    return min(1, max(0, share))
  }

  /// The values at its ends.
  var range: (first: Double, last: Double) { (first, last) }

  /// The same with another title.
  func titled(_ title: String) -> Axis {
    var axis = self
    axis.title = title
    return axis
  }

  /// Durations on a linear axis.
  /// - Parameters:
  ///   - from: nanoseconds, from 0 on.
  ///   - to: nanoseconds.
  static func durations(from: Double, to: Double) -> Axis {
    let (unit, name) = to < 1e7 ? (1e3, "µs") : to < 2e9 ? (1e6, "ms") : (1e9, "s")
    return Axis(from: from, to: to, least: 1, unit: unit, title: name)
  }

  /// Counts on a linear axis, from 0 on.
  static func counts(to: Double, title: String) -> Axis { Axis(from: 0, to: to, least: 1, unit: 1, title: title) }

  /// Durations on a logarithmic axis.
  /// - Parameters:
  ///   - from: nanoseconds; from 1 µs on in any case.
  ///   - to: nanoseconds.
  static func decades(from: Double, to: Double, title: String) -> Axis {
    let first = max(3, max(1, from).decimalLogarithm.rounded(.down))
    let last = max(first + 1, max(1, to).decimalLogarithm.rounded(.up))
    let names = ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s", "1000 s"]
    let ticks = stride(from: first, through: last, by: last - first > 5 ? 2 : 1).map { power in
      let name = Int(power) - 3
      return Tick(value: 10.0.raised(to: power), text: names.indices.contains(name) ? names[name] : "")
    }
    return Axis(
      title: title, ticks: ticks, first: 10.0.raised(to: first), last: 10.0.raised(to: last), isLogarithmic: true)
  }

  /// Parts of all on a logarithmic axis, from one of so many to all.
  static func shares(of count: UInt64, title: String) -> Axis {
    let names = ["100 %", "10 %", "1 %", "0.1 %", "0.01 %", "0.001 %", "0.0001 %"]
    let decades = min(6, max(1, Int(Double(max(1, count)).decimalLogarithm.rounded(.up))))
    let ticks = (0...decades).reversed().map { Tick(value: 10.0.raised(to: -Double($0)), text: names[$0]) }
    return Axis(title: title, ticks: ticks, first: 10.0.raised(to: -Double(decades)), last: 1, isLogarithmic: true)
  }

  private init(title: String, ticks: [Tick], first: Double, last: Double, isLogarithmic: Bool) {
    self.title = title
    self.ticks = ticks
    self.first = first
    self.last = last
    self.isLogarithmic = isLogarithmic
  }

  /// A linear axis with up to eight ticks at round values. Its steps are no smaller than a 2000th of its end, so that five
  /// digits tell them apart.
  /// - Parameters:
  ///   - least: the least step.
  ///   - unit: what the numbers are written in.
  private init(from: Double, to: Double, least: Double, unit: Double, title: String) {
    let step = max((to - from) / 6, to / 2000, least).roundedUp
    let start = (from / step).rounded(.down)
    let end = max((to / step).rounded(.up), start + 1)
    let places = max(0, Int(-(step / unit).decimalLogarithm.rounded(.down)))
    ticks = stride(from: start, through: end, by: 1).map {
      Tick(value: $0 * step, text: ($0 * step / unit).decimal(places))
    }
    first = start * step
    last = end * step
    self.title = title
  }
}

extension Double {
  /// The least of 1, 2, 5, 10, 20 ... and 0.5, 0.2 ... that is not below it.
  fileprivate var roundedUp: Double {
    let power = 10.0.raised(to: decimalLogarithm.rounded(.down))
    let digit = [1, 2, 5].first { Double($0) * power >= self * (1 - 1e-9) } ?? 10
    return Double(digit) * power
  }
}
