import LinuxIO
import Testing

@testable import streamer

@Suite struct PaceTests {
  /// A batch of packets of 1400 bytes.
  private func batch(_ count: Int, _ body: (borrowing PacketBatch) -> Void) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1400, alignment: 16)
    defer { bytes.deallocate() }
    var batch = PacketBatch(capacity: count)
    let all = UnsafeRawBufferPointer(bytes)
    for _ in 0..<count {
      batch.append(header: UnsafeRawBufferPointer(rebasing: all[..<20]), payload: .init(rebasing: all[20...]))
    }
    body(batch)
  }

  @Test func offHoldsNothingBack() {
    batch(120) { batch in
      var pace = Pace(.off, interval: 33_333_333)
      pace.begin(batch.byteCount, capturedAt: 0, now: Clock.monotonic)
      #expect(pace.allowed(batch, sent: 0) == 120)
    }
  }

  /// A small frame waits for nothing; a large one is gone after half the interval, and never in a burst.
  @Test func onSpreadsLargeFramesAlone() {
    batch(11) { batch in
      var pace = Pace(.on, interval: 33_333_333)
      pace.begin(batch.byteCount, capturedAt: 0, now: Clock.monotonic)
      #expect(pace.allowed(batch, sent: 0) == 11)
    }
    batch(120) { batch in
      var pace = Pace(.on, interval: 33_333_333)
      let now = Clock.monotonic
      pace.begin(batch.byteCount, capturedAt: 0, now: now)
      let first = pace.allowed(batch, sent: 0)
      #expect(first >= 11 && first < 23)
      // Half of it after a quarter of the interval.
      pace.begin(batch.byteCount, capturedAt: 0, now: now - 8_333_333)
      #expect((60...72).contains(pace.allowed(batch, sent: 60)))
      // A visit that comes late sends no more than the burst.
      pace.begin(batch.byteCount, capturedAt: 0, now: now - 1_000_000_000)
      #expect((31...33).contains(pace.allowed(batch, sent: 20)))
      #expect(pace.allowed(batch, sent: 110) == 120)
      pace.end()
      #expect(pace.allowed(batch, sent: 20) == 120)
    }
  }

  /// A rate that is too low for the frames is raised: the next one shall not cut them.
  @Test func aRateIsKeptWhereItCanBe() {
    batch(120) { batch in
      var slow = Pace(.rate(1e6), interval: 33_333_333)
      slow.begin(batch.byteCount, capturedAt: 0, now: Clock.monotonic - 30_000_000)
      #expect(slow.allowed(batch, sent: 115) == 120)
      var fast = Pace(.rate(400e6), interval: 33_333_333)
      fast.begin(batch.byteCount, capturedAt: 0, now: Clock.monotonic - 1_000_000)
      #expect((47...50).contains(fast.allowed(batch, sent: 40)))
    }
  }

  /// Where a camera does not say its rate, it is measured.
  @Test func theIntervalIsMeasured() {
    batch(120) { batch in
      var pace = Pace(.on, interval: nil)
      for number in 0..<3 as Range<Int64> {
        pace.begin(batch.byteCount, capturedAt: number * 5_000_000, now: Clock.monotonic - 1_250_000)
      }
      #expect((63...72).contains(pace.allowed(batch, sent: 63)))
    }
  }

  /// Neither large packets nor large frames are held back for ever.
  @Test func whatIsLargeLeavesInTime() {
    batch(1000) { batch in
      var pace = Pace(.on, interval: 33_333_333)
      pace.begin(batch.byteCount, capturedAt: 0, now: Clock.monotonic - 16_000_000)
      // 84 kB a millisecond; a visit may bring twice that.
      #expect(pace.allowed(batch, sent: 500) >= 600)
    }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_507, alignment: 16)
    defer { bytes.deallocate() }
    var large = PacketBatch(capacity: 3)
    let all = UnsafeRawBufferPointer(bytes)
    for _ in 0..<3 { large.append(header: .init(rebasing: all[..<20]), payload: .init(rebasing: all[20...])) }
    var pace = Pace(.on, interval: 33_333_333)
    pace.begin(large.byteCount, capturedAt: 0, now: Clock.monotonic)
    #expect(pace.allowed(large, sent: 0) == 1)
    pace.begin(large.byteCount, capturedAt: 0, now: Clock.monotonic - 12_000_000)
    #expect(pace.allowed(large, sent: 1) == 2)
  }
}
