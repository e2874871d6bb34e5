import LinuxIO

/// Lines for the log, on standard error.
struct Log: Sendable {
  enum Level: Int, CaseIterable, Sendable {
    case error, warning, info, debug

    init?(_ name: String) {
      guard let level = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
      self = level
    }
  }

  /// Less important lines are left out.
  var level = Level.info

  func error(_ text: String) { line(.error, "error: \(text)") }
  func warning(_ text: String) { line(.warning, "warning: \(text)") }
  func info(_ text: String) { line(.info, text) }
  func debug(_ text: String) { line(.debug, text) }

  private func line(_ level: Level, _ text: String) {
    if level.rawValue <= self.level.rawValue { StandardStream.error.line("streamer: \(text)") }
  }
}
