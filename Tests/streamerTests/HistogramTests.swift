import Testing

@testable import streamer

@Suite struct HistogramTests {
  /// Percentiles are within 1 % of those of the values themselves.
  @Test func percentilesAreNear() {
    var histogram = Histogram()
    var values: [Int64] = []
    var seed: UInt64 = 1
    for _ in 0..<10_000 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // From some nanoseconds to a minute.
      values.append(Int64(seed >> 28) >> Int64(seed & 31))
    }
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

  @Test func theEndsOfTheScale() {
    var histogram = Histogram()
    #expect(histogram.distribution.percentile(0.5) == 0)
    histogram.record(-5)
    histogram.record(.max)
    #expect(histogram.min == 0 && histogram.distribution.percentile(0.5) == 0)
    #expect(histogram.distribution.percentile(1) == histogram.max && histogram.max > 1_000_000_000_000)
  }
}
