import LinuxIO
import Testing
import V4L2Capture

@testable import streamer

@Suite struct MeterTests {
  private func frame(_ number: Int, late: Int64 = 5) -> Frame {
    let time = Int64(number) * 33_000_000 + 1_000_000_000
    return Frame(
      bytes: .init(start: nil, count: 0), sequence: UInt32(number), timestamp: time, takenAt: time + late * 1_000_000,
      lender: .allocate(byteCount: 1, alignment: 1), index: 0
    ) { lender, _ in lender.deallocate() }
  }

  private func times(_ stage: Stage, _ result: Measurement.Result?) -> UInt64? {
    result?.stages.first { $0.stage == stage }?.times.count
  }

  /// Frames are passed over, measured, and no more.
  @Test func phases() {
    var meter = Meter(Measurement(warmUp: 2, frames: 3))
    var phases: [Measurement.Phase] = []
    for number in 0..<7 { phases.append(meter.count(frame(number), isNext: true)) }
    #expect(phases == [.warmingUp, .warmingUp, .starting, .measuring, .measuring, .done, .done])
    let isDone = meter.isDone
    #expect(isDone)
    var statistics = StreamStatistics()
    statistics.captured = 3
    let result = meter.result(statistics, isOver: true)
    #expect(result?.duration == 66_000_000)
    #expect(result?.timeline.map(\.sequence) == [2, 3, 4])
    #expect(times(.driverToDequeue, result) == 3)
    #expect(times(.frameInterval, result) == 2)
  }

  /// What became of a frame is written down as that frame's, though the next one is there already.
  @Test func aFrameInFlightKeepsItsTimes() {
    var meter = Meter(Measurement(warmUp: 0, frames: 10))
    let first = frame(0)
    _ = meter.count(first, isNext: true)
    meter.take(first)
    meter.stamp(7)
    let second = frame(1)
    _ = meter.count(second, isNext: true)
    meter.end(wasLent: true)
    meter.take(second)
    meter.stamp(8)
    var statistics = StreamStatistics()
    statistics.captured = 2
    let timeline = meter.result(statistics, isOver: true)?.timeline ?? []
    #expect(timeline.map(\.rtpTimestamp) == [7, 8])
    #expect(timeline.map { $0.doneAt > 0 } == [true, false])
  }

  /// A frame that leaves before it is there is measured from its first data.
  @Test func stagesOfAnEarlyFrame() {
    var meter = Meter(nil)
    for number in 0..<2 {
      let one = frame(number)
      _ = meter.count(one, isNext: true)
      meter.take(one)
      let before = meter.start
      meter.startedSending(at: one.timestamp + 2_000_000, isWhole: number == 0, firstSeen: one.timestamp)
      let behind = meter.start
      #expect(before != nil && behind == nil)
      meter.endedSending()
      meter.end(wasLent: true)
    }
    var statistics = StreamStatistics()
    statistics.captured = 2
    let result = meter.result(statistics, isOver: false)
    #expect(times(.dequeueToFirstPacket, result) == 1)
    #expect(times(.firstDataToFirstPacket, result) == 1)
    let early = result?.stages.first { $0.stage == .firstDataToFirstPacket }?.times
    #expect(abs(Double(early?.max ?? 0) - 2e6) < 1)
    #expect(result?.timeline.isEmpty == true)
  }

  @Test func framesOfATimeToCome() {
    var meter = Meter(nil)
    _ = meter.count(frame(0, late: -3), isNext: true)
    _ = meter.count(frame(1), isNext: true)
    var statistics = StreamStatistics()
    statistics.captured = 2
    let result = meter.result(statistics, isOver: false)
    #expect(result?.ahead == 1)
  }
}
