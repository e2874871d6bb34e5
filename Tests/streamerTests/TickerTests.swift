import LinuxIO
import Testing
import V4L2Capture

@testable import streamer

@Suite struct TickerTests {
  /// Ten beats pass, 10 ms each, in which the thread sleeps or works: whose fault it is that they were missed.
  @Test(arguments: [false, true]) func whoseFaultMissedBeatsAre(works: Bool) throws {
    let rate = try #require(FrameRate(100))
    let ticker = try Ticker(rate)
    let epoll = try Epoll()
    _ = epoll.wait(milliseconds: 30)
    let first = try #require(ticker.next()?.index)
    #expect(ticker.workedThrough == 0)
    let end = Clock.thread + 105_000_000
    if works { while Clock.thread < end {} } else { _ = epoll.wait(milliseconds: 105) }
    let second = try #require(ticker.next()?.index)
    #expect(second - first >= 10)
    #expect(ticker.workedThrough == (works ? 10 : 0))
  }

  /// What is missing before a frame is the driver's where there is one; else as many are the program's as it worked through.
  @Test(arguments: [nil, 0, 1, 5]) func theCauseOfMissingFrames(workedThrough: UInt64?) {
    var statistics = StreamStatistics()
    statistics.count(missing: 2, workedThrough: workedThrough)
    let tooSlow = min(2, workedThrough ?? 0)
    #expect(statistics[.driver] == (workedThrough == nil ? 2 : 0))
    #expect(statistics[.tooSlow] == tooSlow)
    #expect(statistics[.missedBeat] == (workedThrough == nil ? 0 : 2 - tooSlow))
    #expect(statistics.dropped == 2)
  }
}
