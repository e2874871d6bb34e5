import Testing

@testable import streamer

@Suite struct StagesTests {
  /// Times are noted first, and counted many at once: none is lost, however many there are when someone asks.
  @Test(arguments: [1, 255, 256, 257, 1000]) func everyTimeIsCounted(count: Int) throws {
    var stages = Stages()
    for number in 1...count {
      stages.record(number % 2 == 0 ? .driverToDequeue : .dequeueToRequeue, Int64(number) * 1000)
    }
    for _ in 0..<2 {
      let found = stages.distributions()
      #expect(found.map(\.times.count).reduce(0, +) == UInt64(count))
      #expect(found.map(\.times.max).max() == UInt64(count) * 1000)
      #expect(found.contains { $0.stage == .driverToDequeue } == (count > 1))
    }
    stages.record(.frameInterval, 1)
    stages.reset()
    let none = stages.distributions()
    #expect(none.isEmpty)
    stages.record(.frameInterval, 7)
    let one = stages.distributions()
    #expect(one.map(\.times.count) == [1])
  }
}
