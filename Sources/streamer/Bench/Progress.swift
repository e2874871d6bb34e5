import LinuxIO

/// How far a measurement is, on standard error: on a terminal one line that is written anew, else a line now and then.
struct Progress {
  private let measurement: Measurement
  private let log: Log
  private let isTerminal = StandardStream.error.isTerminal
  private let start = Clock.monotonic
  private var next: Int64
  private var hasShown = false

  /// Milliseconds between two looks.
  static let step: Int32 = 500
  /// Nanoseconds between two lines in a log.
  private static let pause: Int64 = 10_000_000_000

  init(_ measurement: Measurement, _ log: Log) {
    self.measurement = measurement
    self.log = log
    next = Clock.monotonic + (StandardStream.error.isTerminal ? 0 : Self.pause)
  }

  /// - Parameter seen: frames that the camera gave so far.
  mutating func show(_ seen: UInt64) {
    let now = Clock.monotonic
    guard now >= next, log.level.rawValue >= Log.Level.info.rawValue else { return }
    let text = text(seen, after: now - start)
    if isTerminal {
      hasShown = true
      _ = StandardStream.error.write("\r\(text)\u{1B}[K")
    } else {
      log.info(text)
      next = now + Self.pause
    }
  }

  /// Takes the line away again, before something else is written.
  mutating func clear() {
    if hasShown { _ = StandardStream.error.write("\r\u{1B}[K") }
    hasShown = false
  }

  private func text(_ seen: UInt64, after elapsed: Int64) -> String {
    let all = measurement.warmUp + measurement.frames
    guard seen > 0 else { return "waiting for the first frame" }
    let left = Double(elapsed) / Double(seen) * Double(all - min(all, seen)) / 1e9
    let isWarm = seen > measurement.warmUp
    let done = isWarm ? min(measurement.frames, seen - measurement.warmUp) : seen
    return
      "\(isWarm ? "measuring" : "warming up"): \(done) of \(isWarm ? measurement.frames : measurement.warmUp) frames,"
      + " some \(Int(left.rounded(.up))) s to go"
  }
}
