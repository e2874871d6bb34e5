import Testing
import V4L2Capture

@testable import streamer

@Suite struct LookoutTests {
  private static let interval: Int64 = 33_333_333

  /// Plays frames of 160,000 bytes that take 20 ms each.
  /// - Parameters:
  ///   - shows: the driver shows data as it comes.
  ///   - changes: it changes what it wrote.
  /// - Returns: whether early packets are used, and whether that was given up.
  private func play(
    _ setting: Lookout.Setting, frames: Int, shows: Bool = true, changes: Bool = false, isStamped: Bool = true,
    isSame: Bool = true
  ) -> (isUsing: Bool, hasGivenUp: Bool, looks: Int) {
    var lookout = Lookout(setting, interval: Self.interval, packetSize: 1400)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 160_000, alignment: 64)
    defer { memory.deallocate() }
    var looks = 0
    var plan: Int64?
    for number in 0..<Int64(frames) {
      for offset in 0..<memory.count { memory[offset] = UInt8(truncatingIfNeeded: offset &* 31 &+ Int(number)) }
      let start = 1_000_000_000 + number * Self.interval
      if let first = plan {
        #expect(first > start - 1_000_000 && first < start + 5_000_000)
        var now = first
        while now < start + 20_000_000 {
          looks += 1
          let there = shows ? max(0, Int(now - start) / 125) & ~7 : 0
          let arrived = Arrived(bytes: UnsafeRawBufferPointer(rebasing: memory[..<there]), hasBegun: there > 0)
          let next = lookout.look(arrived, at: now)
          #expect(next.map { (500_000...4_000_000).contains($0 - now) } == true)
          now = next ?? .max
        }
      }
      if changes { memory[100] ^= 1 }
      plan = lookout.done(
        .init(
          timestamp: start, takenAt: start + 20_000_000, bytes: UnsafeRawBufferPointer(memory), isStamped: isStamped,
          isSame: isSame))
    }
    return (lookout.isUsing, lookout.hasGivenUp, looks)
  }

  @Test func aDriverThatShowsDataIsFoundOut() {
    let result = play(.auto, frames: 10)
    #expect(result.isUsing && !result.hasGivenUp)
    // Of 20 ms a visit shall find 12 packets: some ten visits.
    #expect(9 * 7...9 * 14 ~= result.looks)
  }

  @Test func othersAreLeftAlone() {
    #expect(play(.auto, frames: 40, shows: false).hasGivenUp)
    #expect(play(.auto, frames: 10, changes: true).hasGivenUp)
    #expect(play(.auto, frames: 40, isStamped: false).hasGivenUp)
    // Other frames than those that were looked at tell nothing.
    let other = play(.auto, frames: 40, changes: true, isSame: false)
    #expect(!other.isUsing && !other.hasGivenUp)
    let off = play(.off, frames: 10)
    #expect(off.hasGivenUp && off.looks == 0)
    let on = play(.on, frames: 40, shows: false)
    #expect(!on.isUsing && !on.hasGivenUp)
  }

  /// Frames that have to be re-coded can't leave early: it is not tried for ever.
  @Test func unfitFramesEndIt() {
    var lookout = Lookout(.on, interval: Self.interval, packetSize: 1400)
    for number in 0..<20 { lookout.tell(isUnfit: number % 8 != 7) }
    #expect(!lookout.hasGivenUp)
    for _ in 0..<8 { lookout.tell(isUnfit: true) }
    #expect(lookout.hasGivenUp && lookout.obstacle == .unfit)
  }

  /// 30 frames a second were promised, and in little light there are 10: the next one is looked for when it comes.
  @Test func aSlowerCameraIsFollowed() {
    var lookout = Lookout(.on, interval: Self.interval, packetSize: 1400)
    var first: Int64 = 0
    for number in 0..<5 {
      let time = Int64(number) * 100_000_000
      let plan = lookout.done(
        .init(
          timestamp: time, takenAt: time + 20_000_000, bytes: .init(start: nil, count: 0), isStamped: true, isSame: true
        ))
      first = (plan ?? 0) - time
    }
    #expect((95_000_000...105_000_000).contains(first))
  }

  /// A camera that stops is not looked at for ever; one that stops in the middle of a frame, a little longer.
  @Test func looksEnd() {
    var lookout = Lookout(.on, interval: Self.interval, packetSize: 1400)
    _ = lookout.done(
      .init(timestamp: 0, takenAt: 20_000_000, bytes: .init(start: nil, count: 0), isStamped: true, isSame: true))
    let nothing = Arrived(bytes: .init(start: nil, count: 0), hasBegun: false)
    let during = lookout.look(nothing, at: 90_000_000)
    let after = lookout.look(nothing, at: 101_000_000)
    #expect(during != nil && after == nil)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
    defer { memory.deallocate() }
    let some = Arrived(bytes: UnsafeRawBufferPointer(memory), hasBegun: true)
    let growing = lookout.look(some, at: 102_000_000)
    let still = lookout.look(some, at: 160_000_000)
    let stalled = lookout.look(some, at: 170_000_000)
    #expect(growing != nil && still != nil && stalled == nil)
  }
}
