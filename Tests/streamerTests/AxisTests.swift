import Testing

@testable import streamer

@Suite struct AxisTests {
  /// An axis covers its values, and its ticks are few, in order, and told apart by short texts.
  private func check(_ axis: Axis, _ from: Double, _ to: Double, sourceLocation: SourceLocation = #_sourceLocation) {
    let (first, last) = axis.range
    #expect(first < last, "\(from) to \(to)", sourceLocation: sourceLocation)
    #expect(first <= from * (1 + 1e-9) && last >= to * (1 - 1e-9), "\(from) to \(to)", sourceLocation: sourceLocation)
    #expect((2...9).contains(axis.ticks.count), "\(from) to \(to): \(axis.ticks)", sourceLocation: sourceLocation)
    #expect(Set(axis.ticks.map(\.text)).count == axis.ticks.count, "\(axis.ticks)", sourceLocation: sourceLocation)
    #expect(axis.ticks.allSatisfy { $0.text.count <= 8 }, "\(axis.ticks)", sourceLocation: sourceLocation)
    let places = axis.ticks.map { axis.position($0.value) }
    #expect(places == places.sorted() && places.allSatisfy { (0...1).contains($0) }, sourceLocation: sourceLocation)
  }

  @Test func durations() {
    check(.durations(from: 0, to: 0), 0, 0)
    var width = 1.0
    while width < 1e12 {
      for start in [0, 1, 999, 123_456, 5_123_400, 33_333_333, 1_234_567_890] as [Double] {
        for part in [1, 1.01, 2.5, 9.99] {
          check(.durations(from: start, to: start + part * width), start, start + part * width)
        }
      }
      width *= 10
    }
  }

  @Test func counts() {
    for count in [0, 1, 2, 3, 7, 10, 99, 100, 101, 6000, 999_999, 1_000_000] as [Double] {
      let axis = Axis.counts(to: count, title: "frames")
      check(axis, 0, count)
      #expect(axis.ticks.allSatisfy { !$0.text.contains(".") }, "there are no parts of frames")
    }
  }

  @Test func decades() {
    for (from, to) in [(0, 0), (1, 2), (300, 900), (1e3, 1e3), (1200, 9e3), (1e3, 1e9), (5e5, 1e12)]
      as [(Double, Double)]
    {
      check(.decades(from: from, to: to, title: ""), max(1e3, from), max(1e3, to))
    }
    let axis = Axis.decades(from: 2e3, to: 5e6, title: "")
    #expect(axis.ticks.map(\.text) == ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms"])
    #expect(abs(axis.position(1e5) - 0.5) < 1e-9)
    #expect(axis.position(0) == 0 && axis.position(1e9) == 1)
  }

  @Test func shares() {
    for count in [0, 1, 2, 10, 300, 1_000_000, 1 << 40] as [UInt64] {
      check(.shares(of: count, title: ""), count == 0 ? 1 : max(1e-6, 1 / Double(count)), 1)
    }
    let axis = Axis.shares(of: 300, title: "")
    #expect(axis.ticks.map(\.text) == ["0.1 %", "1 %", "10 %", "100 %"])
    #expect(axis.position(1) == 1 && axis.position(0) == 0)
  }
}
