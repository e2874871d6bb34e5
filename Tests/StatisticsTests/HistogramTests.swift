import Statistics
import Testing

@Suite struct HistogramTests {
  /// The same numbers each time, from some nanoseconds to a minute.
  private func values(_ count: Int, seed: UInt64 = 1) -> [Int64] {
    var seed = seed
    return (0..<count).map { _ in
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int64(seed >> 28) >> Int64(seed & 31)
    }
  }

  /// Percentiles are within 1 % of those of the values themselves.
  @Test func percentilesAreNear() {
    var histogram = Histogram()
    var values = values(10_000)
    for value in values { histogram.record(value) }
    values.sort()
    let distribution = histogram.distribution
    #expect(histogram.count == 10_000)
    #expect(histogram.min == UInt64(values[0]) && histogram.max == UInt64(values[9999]))
    for (part, rank) in [(0.001, 9), (0.1, 999), (0.5, 4999), (0.9, 8999), (0.99, 9899), (0.999, 9989)] {
      let exact = Double(values[rank])
      #expect(abs(Double(distribution.percentile(part)) - exact) <= max(0.5, exact / 100), "\(part)")
    }
  }

  /// Each value, on all the scale, is in a bucket whose middle is within 1 % of it.
  @Test func everyBucketIsNear() {
    var value: UInt64 = 0
    while value < 1 << 40 {
      var histogram = Histogram()
      // So that neither end gives the value itself.
      histogram.record(0)
      histogram.record(Int64(value))
      histogram.record(1 << 41)
      let found = Double(histogram.distribution.percentile(0.5))
      #expect(abs(found - Double(value)) <= max(0.5, Double(value) / 100), "\(value)")
      value += max(1, value / 37)
    }
  }

  @Test func theEndsOfTheScale() {
    var histogram = Histogram()
    #expect(histogram.distribution.percentile(0.5) == 0)
    histogram.record(-5)
    histogram.record(.max)
    #expect(histogram.min == 0 && histogram.distribution.percentile(0.5) == 0)
    #expect(histogram.distribution.percentile(1) == histogram.max && histogram.max > 1_000_000_000_000)
  }

  /// Two that are merged are one that counted all.
  @Test func mergedIsAsCountedInOne() {
    var one = Histogram()
    var other = Histogram()
    var all = Histogram()
    for (index, value) in values(2000).enumerated() {
      if index % 3 == 0 { one.record(value) } else { other.record(value) }
      all.record(value)
    }
    one.merge(other)
    #expect(one.distribution == all.distribution)
    one.merge(Histogram())
    #expect(one.distribution == all.distribution)
    one.reset()
    #expect(one.distribution == Histogram().distribution)
  }

  /// The interval has the true median 95 times of 100.
  @Test func intervalsHoldTheMedian() {
    // Even from 0 to 2^36: its median is 2^35, its 90th percentile nine tenths.
    var held = (0, 0)
    for seed in 0..<1000 {
      var histogram = Histogram()
      var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
      for _ in 0..<301 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        histogram.record(Int64(state >> 28))
      }
      let distribution = histogram.distribution
      let (median, tail) = (distribution.interval(0.5), distribution.interval(0.9))
      if median.low <= 1 << 35, median.high ?? .max >= 1 << 35 { held.0 += 1 }
      if Double(tail.low) <= 0.9 * Double(1 << 36), Double(tail.high ?? .max) >= 0.9 * Double(1 << 36) { held.1 += 1 }
    }
    #expect((930...980).contains(held.0), "\(held)")
    #expect((930...985).contains(held.1), "\(held)")
  }

  @Test func fewAreTooFewForTheTail() {
    var histogram = Histogram()
    for value in 1...300 { histogram.record(Int64(value) * 1000) }
    #expect(histogram.distribution.interval(0.999).high == nil)
    #expect(histogram.distribution.interval(0.5).high != nil)
  }

  /// Beats that were left out are told from the others' length.
  @Test func beatsThatWereLeftOut() {
    var histogram = Histogram()
    #expect(histogram.distribution.missingBeats == 0)
    for _ in 0..<90 { histogram.record(33_300_000) }
    for _ in 0..<5 { histogram.record(42_000_000) }
    #expect(histogram.distribution.missingBeats == 0)
    for _ in 0..<3 { histogram.record(66_700_000) }
    histogram.record(5 * 33_400_000)
    #expect(histogram.distribution.missingBeats == 7)
  }
}
