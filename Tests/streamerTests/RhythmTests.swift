import Testing

@testable import streamer

@Suite struct RhythmTests {
  /// How many beats are missing in these intervals, in milliseconds; 0 is a break.
  private func missing(_ intervals: [Double]) -> UInt64 {
    var rhythm = Rhythm()
    for interval in intervals {
      if interval == 0 { rhythm.breakOff() } else { rhythm.count(Int64(interval * 1e6)) }
    }
    rhythm.breakOff()
    return rhythm.missing
  }

  private let usual = [Double](repeating: 33.3, count: 20)

  @Test func noneIsMissingInARhythm() {
    #expect(missing([]) == 0)
    #expect(missing(usual) == 0)
    #expect(missing(usual + [44, 25, 48, 20, 33]) == 0)
  }

  @Test func gaps() {
    #expect(missing(usual + [66.7] + usual) == 1)
    #expect(missing(usual + [100] + usual + [166] + usual) == 6)
    // Two frames in a row that have each a gap before them.
    #expect(missing(usual + [66, 67] + usual) == 2)
    #expect(missing(usual + [66]) == 1)
    #expect(missing(usual + [66, 0] + usual) == 1)
  }

  /// A frame that is late, and the next one in time.
  @Test func lateIsNotMissing() { #expect(missing(usual + [55, 11.6] + usual + [60, 6.6] + usual) == 0) }

  /// In little light a camera exposes longer.
  @Test func anotherRhythm() {
    let slow = [Double](repeating: 66.6, count: 20)
    #expect(missing(usual + slow + usual) == 0)
    #expect(missing(usual + slow + [133.2] + slow) == 1)
  }

  /// Whatever a driver's clock does, nothing traps, and no number is beyond all sense.
  @Test func oddClocks() {
    #expect(missing([0, 0]) == 0)
    for first in [0, 1, 33_000_000, .max, .min] as [Int64] {
      var rhythm = Rhythm()
      for interval in [first, .max, 0, -1, .max, .max, .max, 5, .min, .max, 1] { rhythm.count(interval) }
      rhythm.breakOff()
      #expect(rhythm.missing <= 11_000_000_000)
    }
  }
}
