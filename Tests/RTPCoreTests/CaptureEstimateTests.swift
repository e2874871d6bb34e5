import Testing

@testable import RTPCore

/// Cameras, drivers and pollers as numbers. Times are in nanoseconds.
@Suite struct CaptureEstimateTests {
  private static let milli: Int64 = 1_000_000
  private static let third: Int64 = 33_333_333

  /// The same numbers each time (SplitMix64).
  private struct Random: RandomNumberGenerator {
    var state: UInt64 = 1
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      return mixed ^ mixed >> 31
    }
  }

  private struct Outcome {
    /// The driver's, when it was seen, and what was estimated.
    let timestamp: Int64
    let seenAt: Int64
    let estimate: Int64
    var error: Int64 { estimate - timestamp }
  }

  /// A camera, whose driver has 20 ms of work with a frame, and who looks for its frames.
  private struct Camera {
    var random = Random()
    var estimate: CaptureEstimate
    /// Between two looks.
    let step: Int64
    /// Of the driver's timestamps, at most.
    let jitter: Int64
    /// From a frame's timestamp until it is done.
    var transfer: Int64 = 20 * milli
    /// When the next frame is due.
    var due: Int64 = 1_000_000 * milli
    private(set) var outcomes: [Outcome] = []
    /// What the driver will tell of frames that are not done, and when.
    private var underWay: [(told: Int64, doneAt: Int64)] = []

    init(interval: Int64?, step: Int64 = 2 * milli, jitter: Int64 = milli / 5) {
      estimate = CaptureEstimate(interval: interval)
      self.step = step
      self.jitter = jitter
    }

    /// A frame, and the time until the next.
    /// - Parameters:
    ///   - transferUnit: the driver's timestamps are whole ones of it.
    ///   - fault: what is wrong with this frame's.
    ///   - stall: so long nobody looks, from just before the frame comes.
    mutating func frame(_ interval: Int64, transferUnit: Int64 = 1, fault: Int64 = 0, stall: Int64 = 0) {
      let timestamp = (due + .random(in: -jitter...jitter, using: &random)) / transferUnit * transferUnit
      due += interval
      // The first bytes are copied a little later, and then there is a look.
      let there = timestamp + .random(in: 20_000...150_000, using: &random)
      let before = (there - 1) / step * step
      let seenAt = (there + step - 1) / step * step + stall
      let isBusy = underWay.contains { $0.doneAt > before }
      while let first = underWay.first, first.doneAt <= seenAt {
        estimate.correct(first.told)
        underWay.removeFirst()
      }
      outcomes.append(
        Outcome(
          timestamp: timestamp, seenAt: seenAt,
          estimate: estimate.estimate(seenAt: seenAt, emptyAt: isBusy ? nil : before)))
      underWay.append((timestamp + fault, timestamp + transfer))
    }

    mutating func frames(_ count: Int, _ interval: Int64, transferUnit: Int64 = 1) {
      for _ in 0..<count { frame(interval, transferUnit: transferUnit) }
    }

    /// Estimates rise, and none is of the future.
    var isSound: Bool {
      outcomes.allSatisfy { $0.estimate <= $0.seenAt }
        && zip(outcomes, outcomes.dropFirst()).allSatisfy { $0.estimate < $1.estimate }
    }
  }

  /// The error that 99 of 100 do not exceed.
  private func usualError(_ outcomes: ArraySlice<Outcome>) -> Int64 {
    let errors = outcomes.map { abs($0.error) }.sorted()
    return errors[errors.count * 99 / 100]
  }

  private func largestError(_ outcomes: ArraySlice<Outcome>) -> Int64 { outcomes.map { abs($0.error) }.max() ?? 0 }

  /// The variance of the times between one and the next: the estimates', as a part of the timestamps'.
  private func unevenness(_ outcomes: ArraySlice<Outcome>) -> Double {
    func variance(_ times: [Int64]) -> Double {
      let steps = zip(times, times.dropFirst()).map { Double($1 - $0) }
      let mean = steps.reduce(0, +) / Double(steps.count)
      return steps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(steps.count)
    }
    return variance(outcomes.map(\.estimate)) / variance(outcomes.map(\.timestamp))
  }

  @Test(arguments: [15, 25, 30, 60] as [Int64], [1, 2, 4, 8] as [Int64])
  func aSteadyCamera(rate: Int64, halfMillis: Int64) {
    let interval = 1_000_000_000 / rate
    for (jitter, error) in [(Self.milli / 5, Self.milli / 2), (Self.milli, 2 * Self.milli)] {
      var camera = Camera(interval: interval, step: halfMillis * Self.milli / 2, jitter: jitter)
      camera.transfer = interval / 2
      // No multiple of the looks.
      camera.frames(3000, interval + 7001)
      let outcomes = camera.outcomes[10...]
      #expect(usualError(outcomes) < error && unevenness(outcomes) < 0.75 && camera.isSound)
    }
  }

  /// uvcvideo's timestamps are of USB transfers, of up to 4 ms.
  @Test(arguments: [15, 25, 30, 60] as [Int64]) func timestampsOfWholeTransfers(rate: Int64) {
    let interval = 1_000_000_000 / rate + 7001
    var camera = Camera(interval: interval)
    camera.transfer = interval / 2
    camera.frames(3000, interval, transferUnit: 4 * Self.milli)
    let outcomes = camera.outcomes[20...]
    #expect(usualError(outcomes) < 3 * Self.milli && unevenness(outcomes) < 0.5 && camera.isSound)
  }

  /// A clock of the camera's that is wrong by 1000 ppm.
  @Test(arguments: [999, 1001] as [Int64]) func drift(thousandths: Int64) {
    var camera = Camera(interval: Self.third)
    camera.frames(3000, Self.third * thousandths / 1000)
    let outcomes = camera.outcomes[10...]
    let mean = outcomes.reduce(0) { $0 + $1.error } / Int64(outcomes.count)
    #expect(usualError(outcomes) < Self.milli / 2 && unevenness(outcomes) < 0.5 && camera.isSound)
    #expect(abs(mean) < Self.milli / 20)
  }

  /// The camera says no rate, or another one than it has.
  @Test(arguments: [nil, 16_666_666, 33_333_333, 40_000_000, 66_666_666] as [Int64?])
  func theIntervalIsFound(nominal: Int64?) {
    for interval in [Self.third / 2, Self.third, 35 * Self.milli, 40 * Self.milli, 50 * Self.milli, 2 * Self.third] {
      var camera = Camera(interval: nominal)
      camera.transfer = interval / 2
      camera.frames(500, interval)
      let outcomes = camera.outcomes[12...]
      #expect(usualError(outcomes) < Self.milli / 2 && camera.isSound)
    }
  }

  /// As auto exposure does it. For some frames it is when they were seen, then it is right again.
  @Test(arguments: [(30, 15), (15, 30), (30, 20), (20, 30), (30, 25), (25, 30), (30, 28), (30, 27), (60, 30), (30, 10)])
  func theRateChanges(from: Int64, to: Int64) {
    let (old, new) = (1_000_000_000 / from, 1_000_000_000 / to)
    var camera = Camera(interval: old)
    camera.transfer = min(old, new) / 2
    camera.frames(100, old)
    camera.frames(200, new)
    #expect(largestError(camera.outcomes[100...]) < max(old / 4, 5 * Self.milli) && camera.isSound)
    #expect(largestError(camera.outcomes[125...]) < Self.milli / 2)
  }

  @Test func framesAreDropped() {
    var camera = Camera(interval: Self.third)
    for _ in 0..<3000 { camera.frame(Self.third * [1, 1, 1, 2, 3, 6][Int.random(in: 0..<6, using: &camera.random)]) }
    #expect(usualError(camera.outcomes[10...]) < Self.milli / 2 && camera.isSound)
  }

  /// Frames come again at any time: when they were seen, until there is a line again.
  @Test func pauses() {
    var camera = Camera(interval: Self.third)
    for _ in 0..<20 {
      camera.frame(.random(in: 2_000_000_000...5_000_000_000, using: &camera.random))
      camera.frames(50, Self.third)
      #expect(largestError(camera.outcomes.suffix(50)) < 2 * Self.milli + 200_000)
      #expect(largestError(camera.outcomes.suffix(40)) < Self.milli / 2)
    }
    #expect(camera.isSound)
  }

  /// A busy machine does not let the program look: a frame is seen late, and nothing was there before.
  /// For less than an interval: which frame it is could not be told else.
  @Test(arguments: [5, 12, 20, 28] as [Int64]) func stalls(of millis: Int64) {
    var camera = Camera(interval: Self.third)
    camera.transfer = 5 * Self.milli
    for number in 0..<2000 { camera.frame(Self.third, stall: number % 7 == 6 ? millis * Self.milli : 0) }
    #expect(largestError(camera.outcomes[20...]) < Self.milli && camera.isSound)
    #expect(unevenness(camera.outcomes[20...]) < 0.5)
  }

  @Test func aCameraWithoutARhythm() {
    var camera = Camera(interval: Self.third)
    for _ in 0..<3000 { camera.frame(.random(in: 20 * Self.milli...60 * Self.milli, using: &camera.random)) }
    let seen = camera.outcomes.count { $0.estimate == $0.seenAt }
    #expect(seen > 2900 && camera.isSound)
    #expect(largestError(camera.outcomes[...]) < 15 * Self.milli)
  }

  /// A timestamp that is wrong, now and then; or all of them from some frame on, as of another clock.
  @Test(arguments: [-5_000_000_000, -20_000_000, 10_000_000, 900_000_000] as [Int64]) func faults(of nanoseconds: Int64)
  {
    var camera = Camera(interval: Self.third)
    for number in 0..<3000 { camera.frame(Self.third, fault: number % 40 == 39 ? nanoseconds : 0) }
    #expect(usualError(camera.outcomes[10...]) < Self.milli / 2 && camera.isSound)
    let first = camera.outcomes.count
    for number in 0..<100 { camera.frame(Self.third, fault: number > 0 ? nanoseconds : 0) }
    #expect(camera.isSound)
    // Such a clock's frames are not due when they are seen.
    let seen = camera.outcomes[(first + 10)...].count { $0.estimate == $0.seenAt }
    #expect(seen == 90)
  }

  /// One frame's bytes come while the last one's driver is not done with it.
  @Test func framesAreDoneLate() {
    var camera = Camera(interval: Self.third)
    camera.transfer = 50 * Self.milli
    camera.frames(3000, Self.third)
    let outcomes = camera.outcomes[12...]
    #expect(usualError(outcomes) < Self.milli / 2 && unevenness(outcomes) < 0.5 && camera.isSound)
  }

  /// Frames that are not estimated have the driver's timestamps: an estimate is later than those, too.
  @Test func anEstimateIsLaterThanWhatWasTold() {
    var estimate = CaptureEstimate(interval: Self.third)
    for number in 0..<20 as Range<Int64> { estimate.correct(number * Self.third) }
    let due = estimate.estimate(seenAt: 20 * Self.third + Self.milli)
    #expect(abs(due - 20 * Self.third) < 1000)
    // One that is very late, and the next, which was due before that.
    let late = 22 * Self.third + 6 * Self.milli
    estimate.correct(late)
    let next = estimate.estimate(seenAt: late + 2 * Self.milli)
    #expect(next == late + 1)
  }

  @Test func numbersWithoutSense() {
    let timestamps: [Int64] = [0, .max, .min, 0, 0, 1, .max, -1, .min, .max, 5, 6, 7, 8]
    for interval in [nil, 0, -1, .min, .max] as [Int64?] {
      var estimate = CaptureEstimate(interval: interval)
      var before = Int64.min
      for (number, timestamp) in timestamps.enumerated() {
        estimate.correct(timestamp)
        let value = estimate.estimate(seenAt: Int64(number))
        #expect(value > before && value <= Int64(number))
        before = value
      }
    }
  }
}
