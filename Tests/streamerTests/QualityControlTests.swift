import Testing

@testable import streamer

/// A rate that is held, on pictures whose size follows the quality in ways of their own.
@Suite struct QualityControlTests {
  /// Bytes of a picture of some detail at a quality: how a size goes with the tables' scale differs from scene to scene.
  private static func size(_ quality: Int, detail: Double, power: Double) -> Int {
    let scale = quality < 50 ? 5000 / Double(quality) : max(1, 200 - 2 * Double(quality))
    return Int(600 + detail * (100 / scale).raised(to: power))
  }

  private static let interval: Int64 = 33_333_333

  /// - Returns: each frame's size and quality.
  private func run(
    _ bitrate: Double, best: Int = 95, frames: Int, power: Double, detail: (Int) -> Double
  ) -> [(size: Int, quality: Int)] {
    var control = QualityControl(bitrate: bitrate, best: best, interval: Self.interval)
    return (0..<frames).map { index in
      let quality = control.quality
      let size = Self.size(quality, detail: detail(index), power: power)
      control.encoded(size, at: Int64(index) * Self.interval)
      return (size, quality)
    }
  }

  /// Bits a second of some frames.
  private func rate(_ frames: ArraySlice<(size: Int, quality: Int)>) -> Double {
    Double(frames.reduce(0) { $0 + $1.size }) * 8 / (Double(frames.count) / 30)
  }

  /// Of how much detail pictures are that have the right size when the tables' scale is this, in percent.
  private static func detail(_ bitrate: Double, scale: Double, power: Double) -> Double {
    (bitrate / 8 / 30 - 600) * (scale / 100).raised(to: power)
  }

  @Test(arguments: [0.5, 0.75, 1.0], [20.0, 100, 400]) func aRateIsHeld(power: Double, scale: Double) {
    let bitrate = 8e6
    let frames = run(bitrate, frames: 300, power: power) { _ in Self.detail(bitrate, scale: scale, power: power) }
    for second in stride(from: 30, to: 300, by: 30) {
      let rate = rate(frames[second..<second + 30])
      #expect(abs(rate / bitrate - 1) < 0.08, "second \(second / 30): \(rate)")
    }
    // It settles: hardly a change from frame to frame.
    let late = frames[150...].map(\.quality)
    #expect((late.max() ?? 0) - (late.min() ?? 0) <= 6)
  }

  @Test(arguments: [0.5, 0.75, 1.0]) func aChangeOfSceneIsFollowed(power: Double) {
    let easy = Self.detail(8e6, scale: 60, power: power)
    let frames = run(8e6, frames: 300, power: power) { (100..<200).contains($0) ? 2.2 * easy : easy }
    let share = 8e6 / 8 / 30
    // One frame is too large; those behind it are not.
    #expect(Double(frames[100].size) > 1.8 * share)
    for index in 102..<130 { #expect(Double(frames[index].size) < 1.25 * share, "\(index)") }
    for index in 203..<230 { #expect(Double(frames[index].size) > 0.6 * share, "\(index)") }
    #expect(abs(rate(frames[100..<160]) / 8e6 - 1) < 0.1)
    #expect(abs(rate(frames[200..<260]) / 8e6 - 1) < 0.1)
  }

  /// What the worst quality is too large by for a while is not made up for at the expense of what follows.
  @Test func whatCanNotBeHeldIsForgotten() {
    let easy = Self.detail(8e6, scale: 60, power: 0.75)
    let frames = run(8e6, frames: 300, power: 0.75) { (100..<200).contains($0) ? 20 * easy : easy }
    #expect(frames[199].quality == 5)
    #expect(abs(rate(frames[245..<290]) / 8e6 - 1) < 0.1)
  }

  @Test func theBoundsHold() {
    let hard = run(1e5, frames: 100, power: 0.75) { _ in 1e6 }
    #expect(hard.allSatisfy { (5...95).contains($0.quality) } && hard.last?.quality == 5)
    let easy = run(1e9, best: 70, frames: 100, power: 0.75) { _ in 10_000 }
    #expect(easy.allSatisfy { $0.quality <= 70 } && easy.last?.quality == 70)
    #expect(run(1e5, best: 3, frames: 10, power: 0.75) { _ in 1e6 }.allSatisfy { $0.quality == 3 })
  }

  /// A camera that pauses does not make up for it in a burst.
  @Test func aPauseIsNoCredit() {
    var control = QualityControl(bitrate: 8e6, best: 95, interval: Self.interval)
    var time: Int64 = 0
    for _ in 0..<60 {
      control.encoded(Self.size(control.quality, detail: 40_000, power: 0.75), at: time)
      time += Self.interval
    }
    time += 5_000_000_000
    for _ in 0..<5 {
      let size = Self.size(control.quality, detail: 40_000, power: 0.75)
      #expect(Double(size) < 1.4 * 8e6 / 8 / 30)
      control.encoded(size, at: time)
      time += Self.interval
    }
  }
}
