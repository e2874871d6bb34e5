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

  /// Less important lines are not printed.
  var level = Level.info

  func error(_ text: String) { line(.error, text) }
  func warning(_ text: String) { line(.warning, text) }
  func info(_ text: String) { line(.info, text) }
  func debug(_ text: String) { line(.debug, text) }

  func line(_ level: Level, _ text: String) {
    guard level.rawValue <= self.level.rawValue else { return }
    let prefix = level.rawValue <= Level.warning.rawValue ? "\(level): " : ""
    StandardStream.error.line("streamer: \(prefix)\(text)")
  }
}
