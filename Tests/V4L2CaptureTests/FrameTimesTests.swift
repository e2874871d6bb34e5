import CScriptedDriver
import Glibc
import LinuxIO
import ScriptedDriver
import Testing

@testable import V4L2Capture

/// Lists of a driver's timestamps, and the times that become of them.
@Suite struct FrameTimesTests {
  private static let interval: Int64 = 33_333_333
  private static let start: Int64 = 1_000_000_000_000
  /// From a frame's capture to its arrival.
  private static let delay: Int64 = 9_000_000

  /// A frame as a driver hands it over.
  struct Told {
    /// In intervals after the start; nil: of no known clock.
    var stamp: Double?
    var arrival: Double
    var sequence: UInt32
  }

  private static func frames(
    _ count: Int, stamp: (Int) -> Double?, arrival: (Int) -> Double = { Double($0) }
  ) -> [Told] {
    (0..<count).map { Told(stamp: stamp($0), arrival: arrival($0), sequence: UInt32($0)) }
  }

  private func run(_ frames: [Told], promised: Int64? = interval) -> (times: [Int64], clock: FrameTimes) {
    var clock = FrameTimes(interval: promised)
    func time(_ intervals: Double) -> Int64 { Self.start + Int64(intervals * Double(Self.interval)) }
    let times = frames.map { frame in
      clock.next(frame.stamp.map(time), sequence: frame.sequence, takenAt: time(frame.arrival) + Self.delay)
    }
    return (times, clock)
  }

  /// The steps between times, in intervals.
  private func steps(_ times: [Int64]) -> [Double] {
    zip(times, times.dropFirst()).map { Double($1 - $0) / Double(Self.interval) }
  }

  /// What drivers do wrong, from the first frame on or after good ones.
  static let bad: [(String, @Sendable (Int) -> Double?)] = [
    ("they stand still", { _ in 0 }), ("they stand still after a while", { Double(min($0, 100)) }),
    ("four frames have one", { Double($0 / 4 * 4) }), ("two frames have one", { Double($0 / 2 * 2) }),
    ("four frames have one, of the last", { Double($0 / 4 * 4 + 3) - 3 }),
    ("ten frames have one", { Double($0 / 10 * 10) }),
    ("they go back and forth", { Double($0 % 2 == 0 ? $0 : $0 - 3) }),
    ("they go back once", { Double($0 < 150 ? $0 : $0 - 60) }),
    ("they run backwards", { Double(-$0) }), ("they creep", { Double($0) * 0.001 }),
    ("they are of another clock", { Double($0) + 1e6 }), ("they were of another clock", { Double($0) - 1e6 }),
    ("they jump ahead and back", { Double($0) + ($0 % 7 == 3 ? 20 : 0) }),
    ("they are as large as can be", { _ in 2.7e11 }), ("they are as small as can be", { _ in -2.7e11 }),
  ]

  @Test(arguments: bad.indices) func badTimestamps(index: Int) {
    let (times, clock) = run(Self.frames(300, stamp: Self.bad[index].1))
    let steps = steps(times)
    #expect(steps.allSatisfy { $0 > 0.3 && $0 < 2 }, "\(Self.bad[index].0): \(steps)")
    // Even, as soon as it is known.
    #expect(steps.dropFirst(180).allSatisfy { $0 > 0.9 && $0 < 1.1 }, "\(Self.bad[index].0): \(steps)")
    // And neither early nor late in the end.
    let error = (times.last ?? 0) - Self.start - 299 * Self.interval
    #expect(abs(error) < 2 * Self.interval, "\(Self.bad[index].0): \(error)")
    #expect(clock.isFaulty == (index != 7), "\(Self.bad[index].0)")
  }

  /// The same on a busy machine, with a driver that hands over four at once, and at another rate than promised.
  @Test(arguments: bad.indices) func unevenArrivals(index: Int) {
    for (what, arrival) in [
      ("late by turns", { Double($0) + [0, 0.4, 0.1, 0.3, 0][$0 % 5] }),
      ("four at once", { Double($0 / 4 * 4) + 0.001 * Double($0 % 4) }),
    ] as [(String, (Int) -> Double)] {
      let steps = steps(run(Self.frames(400, stamp: Self.bad[index].1, arrival: arrival)).times)
      #expect(steps.dropFirst(180).allSatisfy { $0 > 0.7 && $0 < 1.3 }, "\(Self.bad[index].0), \(what): \(steps)")
      #expect(steps.allSatisfy { $0 > 0 }, "\(Self.bad[index].0), \(what)")
    }
    for promised in [nil, 2 * Self.interval, Self.interval / 2, 1, .max] {
      let steps = steps(run(Self.frames(400, stamp: Self.bad[index].1), promised: promised).times)
      let what = "\(Self.bad[index].0), \(promised ?? 0)"
      #expect(steps.dropFirst(180).allSatisfy { $0 > 0.9 && $0 < 1.1 }, "\(what): \(steps)")
      #expect(steps.allSatisfy { $0 > 0 }, "\(what)")
    }
  }

  /// What a good driver says is left as it is.
  @Test func goodTimestampsAreKept() {
    let jitter = Self.frames(200, stamp: { Double($0) + ($0 % 3 == 0 ? 0.2 : 0) })
    let slow = Self.frames(200, stamp: { Double($0 * 2) }, arrival: { Double($0 * 2) })
    let withPause: (Int) -> Double = { Double($0 < 100 ? $0 : $0 + 900) }
    let pause = Self.frames(200, stamp: withPause, arrival: withPause)
    // The program was stopped for 12 s: four frames waited, the others were dropped.
    var stopped = Self.frames(104, stamp: { Double($0) }, arrival: { Double($0 < 100 ? $0 : 460) })
    stopped += (460..<500).map { Told(stamp: Double($0), arrival: Double($0), sequence: UInt32($0)) }
    for frames in [jitter, slow, pause, stopped] {
      let (times, clock) = run(frames)
      #expect(times == frames.map { Self.start + Int64(($0.stamp ?? 0) * Double(Self.interval)) })
      #expect(clock.isDrivers && !clock.isFaulty)
    }
  }

  /// uvcvideo hands frames over in the wrong order at times, each with its own timestamp.
  @Test func anOvertakenFrameKeepsItsOwn() {
    var frames = Self.frames(20, stamp: { Double($0) })
    frames.swapAt(10, 11)
    let (times, clock) = run(frames)
    #expect(times == frames.map { Self.start + Int64(($0.stamp ?? 0) * Double(Self.interval)) })
    #expect(!clock.isFaulty)
  }

  /// A driver whose timestamps became good again is believed after a while.
  @Test func goodAgain() {
    let (times, clock) = run(Self.frames(400, stamp: { Double($0 > 50 && $0 < 60 ? 50 : $0) }))
    #expect(clock.isDrivers && clock.isFaulty)
    #expect(steps(times).allSatisfy { $0 > 0.5 && $0 < 1.5 })
    #expect(times.last == Self.start + Int64(399.0 * Double(Self.interval)))
  }

  /// Timestamps of no known clock are no fault: the arrival counts.
  @Test func ofNoKnownClock() {
    let (times, clock) = run(Self.frames(50, stamp: { _ in nil }))
    #expect(times == (0..<50).map { Self.start + Int64(Double($0) * Double(Self.interval)) + Self.delay })
    #expect(!clock.isDrivers && !clock.isFaulty)
  }

  /// Whatever a driver and its numbers are, times rise.
  @Test func anything() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      var clock = FrameTimes(interval: Bool.random() ? nil : .random(in: -5...2_000_000_000))
      var last: Int64?
      var now = Int64.random(in: 0...1 << 60)
      for _ in 0..<100 {
        now += .random(in: 0...100_000_000, using: &random)
        let stamp: Int64? =
          switch Int.random(in: 0..<6) {
          case 0: nil
          case 1: .random(in: .min ... .max)
          case 2: now - .random(in: -1_500_000_000...20_000_000_000)
          case 3: 0
          default: now - 5_000_000
          }
        let time = clock.next(stamp, sequence: .random(in: 0...3) * .random(in: 0...1 << 30), takenAt: now)
        // Overtaken ones are not sent.
        if let last, time <= last { #expect(time == stamp) } else { last = time }
        #expect(time <= now + 35_000_000_000 && time >= now - 31_000_000_000)
      }
    }
  }
}

/// A ring of a driver that the test scripts.
@Suite struct RingTimesTests {
  private let driver = ScriptedDriver()

  private func ring(_ pictures: [ScriptedDriver.Picture]) throws -> BufferRing {
    driver.pictures = pictures
    let device = try Device(opening: driver.path)
    _ = try device.set(ModeChoice(format: .mjpeg, size: FrameSize(640, 480)))
    return try BufferRing(device, buffers: 4, isWatched: true, interval: 33_333_333)
  }

  /// A driver's timestamps that stand still, or repeat.
  @Test(arguments: [1, 4]) func timestampsRise(every: Int) throws {
    defer { driver.end() }
    let start = Clock.monotonic
    let flags = UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) | UInt32(V4L2_BUF_FLAG_TSTAMP_SRC_SOE)
    let pictures = (0..<20).map { number in
      var picture = ScriptedDriver.Picture([1, 2, 3])
      picture.flags = flags
      picture.timestamp = start + (every == 1 ? 0 : Int64(number / every) * 1_000_000)
      return picture
    }
    let ring = try ring(pictures)
    var times: [Int64] = []
    while let frame = try ring.dequeue() { times.append(frame.timestamp) }
    #expect(times.count == 20 && zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    #expect(ring.hasFaultyTimestamps && ring.timestampSource == .unknown)
  }

  /// Buffers that are queued before anybody queued them are filled by another program: they are not wiped.
  @Test func buffersThatAnotherProgramFills() throws {
    defer { driver.end() }
    try check { ring in #expect(ring.isWatched && !ring.isFed) }
    driver.reset()
    driver.onCall = { request, argument, answer in
      let error = answer()
      if request == SCRIPTED_QUERYBUF {
        argument.assumingMemoryBound(to: v4l2_buffer.self).pointee.flags |= UInt32(V4L2_BUF_FLAG_QUEUED)
      }
      return error
    }
    try check { ring in #expect(ring.isFed && !ring.isWatched) }
  }

  private func check(_ body: (borrowing BufferRing) -> Void) throws { body(try ring([])) }
}
