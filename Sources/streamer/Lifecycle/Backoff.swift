/// Pauses between attempts, each twice as long as the one before.
struct Backoff: Equatable, Sendable {
  private let shortest: Int64
  private let longest: Int64
  private var pause: Int64

  /// - Parameters: nanoseconds.
  init(from shortest: Int64, to longest: Int64) {
    self.shortest = shortest
    self.longest = longest
    pause = shortest
  }

  /// The pause before the next attempt, in nanoseconds.
  mutating func next() -> Int64 {
    defer { pause = min(longest, pause * 2) }
    return pause
  }

  /// The next pause is the shortest again.
  mutating func reset() { pause = shortest }
}
