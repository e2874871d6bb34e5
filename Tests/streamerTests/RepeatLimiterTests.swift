import Testing

@testable import streamer

@Suite struct RepeatLimiterTests {
  private static let second: Int64 = 1_000_000_000

  private func line(_ text: String) -> RepeatLimiter.Line { .init(level: .warning, text: text) }

  @Test func aFewLinesAMinuteAndTheLastOne() {
    var limiter = RepeatLimiter()
    let first = (0..<10).map { limiter.admit(line("\($0)"), about: "camera", at: $0 * Self.second)?.text }
    #expect(first == ["0", "1", "2", "3", "4", "5", nil, nil, nil, nil])
    // Another subject has lines of its own.
    #expect(limiter.admit(line("lost"), about: "receiver", at: 10 * Self.second) == line("lost"))
    #expect(limiter.due == 60 * Self.second && limiter.next(at: 59 * Self.second) == nil)
    #expect(limiter.next(at: 60 * Self.second) == line("9 (and 3 more before that are not logged)"))
    #expect(limiter.due == nil && limiter.next(at: 60 * Self.second) == nil)
    #expect(limiter.admit(line("back"), about: "camera", at: 61 * Self.second) == line("back"))
  }

  /// A newer line takes the place of the one that was held back.
  @Test func whatHappensBeforeTheOthersAreLoggedCountsThem() {
    var limiter = RepeatLimiter()
    for number in 0..<10 { _ = limiter.admit(line("\(number)"), about: "camera", at: Int64(number)) }
    let text = limiter.admit(line("back"), about: "camera", at: 60 * Self.second)?.text
    #expect(text == "back (and 4 more before that are not logged)" && limiter.due == nil)
  }
}
