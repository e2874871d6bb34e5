import Testing
import V4L2Capture

@testable import streamer

@Suite struct EarlySendingTests {
  private static let interval: Int64 = 33_333_333
  private static let size = 160_000

  /// A frame whose data took 20 ms.
  private func frame(_ memory: UnsafeMutableRawPointer, count: Int = size, at time: Int64) -> Frame {
    Frame(
      bytes: UnsafeRawBufferPointer(start: memory, count: count), sequence: 0, timestamp: time,
      takenAt: time + 20_000_000, lender: memory, index: 0
    ) { _, _ in }
  }

  /// Plays frames of 160,000 bytes that take 20 ms each.
  /// - Parameters:
  ///   - shows: the driver shows data as it comes.
  ///   - changes: it changes what it wrote.
  /// - Returns: whether early packets are used, and whether that was given up.
  private func play(
    _ setting: EarlySending.Setting, frames: Int, shows: Bool = true, changes: Bool = false, isStamped: Bool = true,
    isSame: Bool = true
  ) -> (isOn: Bool, hasGivenUp: Bool, polls: Int) {
    var early = EarlySending(setting, interval: Self.interval, packetSize: 1400)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.size, alignment: 64)
    let bytes = UnsafeMutableRawBufferPointer(start: memory, count: Self.size)
    defer { memory.deallocate() }
    var polls = 0
    var plan: Int64?
    for number in 0..<Int64(frames) {
      for offset in bytes.indices { bytes[offset] = UInt8(truncatingIfNeeded: offset &* 31 &+ Int(number)) }
      let start = 1_000_000_000 + number * Self.interval
      if let first = plan {
        #expect(first > start - 1_000_000 && first < start + 5_000_000)
        var now = first
        while now < start + 20_000_000 {
          polls += 1
          let there = shows ? max(0, Int(now - start) / 125) & ~7 : 0
          let arrived = Arrived(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<there]), hasBegun: there > 0)
          let next = early.polled(arrived, at: now)
          #expect(next.map { (500_000...4_000_000).contains($0 - now) } == true)
          now = next ?? .max
        }
      }
      if changes { bytes[100] ^= 1 }
      plan = early.completed(frame(memory, at: start), isNext: isSame, isStamped: isStamped)
    }
    return (early.isOn, early.hasGivenUp, polls)
  }

  @Test func aDriverThatShowsDataIsFoundOut() {
    let result = play(.auto, frames: 10)
    #expect(result.isOn && !result.hasGivenUp)
    // Of 20 ms a visit shall find 12 packets: some ten visits.
    #expect(9 * 7...9 * 14 ~= result.polls)
  }

  @Test func othersAreLeftAlone() {
    #expect(play(.auto, frames: 40, shows: false).hasGivenUp)
    #expect(play(.auto, frames: 10, changes: true).hasGivenUp)
    #expect(play(.auto, frames: 40, isStamped: false).hasGivenUp)
    // Other frames than those that were looked at tell nothing.
    let other = play(.auto, frames: 40, changes: true, isSame: false)
    #expect(!other.isOn && !other.hasGivenUp)
    let off = play(.off, frames: 10)
    #expect(off.hasGivenUp && off.polls == 0)
    let on = play(.on, frames: 40, shows: false)
    #expect(!on.isOn && !on.hasGivenUp)
  }

  /// Frames that have to be re-coded can't leave early: it is not tried for ever.
  @Test func unfitFramesEndIt() {
    var trial = EarlyTrial(.on)
    for number in 0..<20 { trial.note(isUnfit: number % 8 != 7) }
    #expect(trial.state == .trying)
    for _ in 0..<8 { trial.note(isUnfit: true) }
    #expect(trial.state == .failed(.unfit))
  }

  /// 30 frames a second were promised, and in little light there are 10: the next one is looked for when it comes.
  @Test func aSlowerCameraIsFollowed() {
    var early = EarlySending(.on, interval: Self.interval, packetSize: 1400)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
    defer { memory.deallocate() }
    var first: Int64 = 0
    for number in 0..<5 {
      let time = Int64(number) * 100_000_000
      let plan = early.completed(frame(memory, count: 0, at: time), isNext: true, isStamped: true)
      first = (plan ?? 0) - time
    }
    #expect((95_000_000...105_000_000).contains(first))
  }

  /// A camera that stops is not looked at for ever; one that stops in the middle of a frame, a little longer.
  @Test func looksEnd() {
    var early = EarlySending(.on, interval: Self.interval, packetSize: 1400)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
    defer { memory.deallocate() }
    _ = early.completed(frame(memory, count: 0, at: 0), isNext: true, isStamped: true)
    let nothing = Arrived(bytes: .init(start: nil, count: 0), hasBegun: false)
    let during = early.polled(nothing, at: 90_000_000)
    let after = early.polled(nothing, at: 101_000_000)
    #expect(during != nil && after == nil)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
    defer { buffer.deallocate() }
    let some = Arrived(bytes: UnsafeRawBufferPointer(buffer), hasBegun: true)
    let growing = early.polled(some, at: 102_000_000)
    let still = early.polled(some, at: 160_000_000)
    let stalled = early.polled(some, at: 170_000_000)
    #expect(growing != nil && still != nil && stalled == nil)
  }
}
