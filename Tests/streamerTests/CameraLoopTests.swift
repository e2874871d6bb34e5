import CScriptedDriver
import Glibc
import LinuxIO
import ScriptedDriver
import Testing
import V4L2Capture

@testable import streamer

@Suite struct CameraLoopTests {
  /// A frame that the camera gives.
  struct Entry {
    var bytes: [UInt8]
    var sequence: UInt32
    var isDamaged = false
    /// Milliseconds after the first one; nil: as the sequence says, at 30 a second.
    var time: Int64?
    /// Milliseconds that the driver takes to hand it over.
    var delay: UInt32 = 0
  }

  /// Runs frames of a scripted driver through a loop.
  /// - Parameters:
  ///   - address: in place of the receiver's.
  ///   - age: of the first one when the loop starts, in milliseconds.
  ///   - mostHeld: how many frames may be leased when the next one is asked for.
  /// - Returns: what was counted, and what a receiver got: packets with the marker, and all.
  func run(
    _ entries: [Entry], to address: String? = nil, mode: ScriptedDriver.Mode = .init("MJPG", [(1920, 1200)]),
    age: Int64 = 400,
    packetSize: Int = 1400, words: [String] = [], mostHeld: Int = 0, board: Board? = nil
  ) throws -> (statistics: StreamStatistics, packets: Int, markers: Int) {
    var receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1 << 22)
    let driver = ScriptedDriver([mode])
    defer { driver.end() }
    let (board, mailbox) = (try board ?? Board(), try Mailbox())
    let first = entries.first?.sequence ?? 0
    let start = Clock.monotonic - age * 1_000_000
    driver.pictures = entries.map { entry in
      let time = entry.time ?? Int64(Int32(bitPattern: entry.sequence &- first)) * 1000 / 30
      let damage = entry.isDamaged ? UInt32(V4L2_BUF_FLAG_ERROR) : 0
      return ScriptedDriver.Picture(
        entry.bytes, flags: UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) | damage, timestamp: start + time * 1_000_000,
        sequence: entry.sequence)
    }
    var delays = entries.map(\.delay)
    driver.onCall = { [unowned driver] request, _, answer in
      guard request == SCRIPTED_DQBUF else { return answer() }
      #expect(driver.mappedCount - driver.queuedCount <= mostHeld)
      if !delays.isEmpty { usleep(delays.removeFirst() * 1000) }
      return answer()
    }
    driver.onEnd = {
      mailbox.post(.tell)
      mailbox.post(.stop)
    }
    let address = address ?? "\(receiver.localAddress)"
    let options = try StreamOptions(
      Arguments([driver.path, "--to", address, "--mtu", "\(packetSize)", "--early", "off"] + words))
    let settings = try StreamSettings(options, camera: 0)
    for address in settings.destinations { mailbox.post(.add(address)) }
    do {
      var loop = try CameraLoop(settings, mailbox: mailbox, board: board)
      try loop.run()
    }
    #expect(driver.mappedCount == 0)
    var packets = 0
    var markers = 0
    while true {
      let count = receiver.receive()
      if count == 0 { break }
      packets += count
      for index in 0..<count where receiver.datagram(at: index)[1] & 0x80 != 0 { markers += 1 }
    }
    return (board.read().statistics, packets, markers)
  }

  /// A camera's JPEGs have another size than its mode: theirs is the one that is posted.
  @Test func pictureSizesAreTheJPEGs() throws {
    let board = try Board()
    _ = try run([.init(bytes: try TestJPEG.make(), sequence: 0)], mode: .init("MJPG", [(640, 480)]), board: board)
    let state = board.read()
    #expect(state.info?.size == FrameSize(640, 480) && state.pictureSize == FrameSize(160, 128))
  }

  /// Each is counted, and none is a drop.
  @Test func fieldsByThemselvesAreCounted() throws {
    let jpeg = try TestJPEG.make()
    let field = Array(jpeg[..<2]) + [0xFF, 0xE0, 0, 7] + Array("AVI1".utf8) + [1] + Array(jpeg[2...])
    let board = try Board()
    let result = try run((0..<3).map { .init(bytes: $0 == 0 ? jpeg : field + field, sequence: $0) }, board: board)
    #expect(result.statistics.singleFields == 2 && result.statistics.dropped == 0 && result.markers == 3)
    #expect(result.statistics.text.contains(", 2 single fields, "))
  }

  @Test func goodFramesAreSent() throws {
    let jpeg = try TestJPEG.make()
    let result = try run((0..<5).map { .init(bytes: jpeg, sequence: $0) }, packetSize: 300)
    #expect(result.statistics.captured == 5 && result.statistics.sent == 5 && result.statistics.dropped == 0)
    #expect(result.markers == 5 && result.packets == Int(result.statistics.packets))
    #expect(result.packets > 10 && result.statistics.partial == 0)
  }

  /// Nobody listens at the second receiver's port: the first one has each frame whole. Where nobody listens at all, no frame
  /// is sent.
  @Test func framesThatOneReceiverHasAreSent() throws {
    let jpeg = try TestJPEG.make()
    let entries = (0..<5).map { Entry(bytes: jpeg, sequence: $0) }
    let one = try run(entries, words: ["--to", "127.0.0.1:9"])
    #expect(one.markers == 5 && one.statistics.sent == 5 && one.statistics.partial == 0)
    #expect(one.statistics.text.hasPrefix("5 frames, 5 sent (5 to some receivers only), 0 dropped, "))
    let none = try run(entries, to: "127.0.0.1:9", words: ["--to", "127.0.0.1:11"])
    #expect(none.statistics.sent == 0 && none.statistics.sentToSome == 0 && none.statistics.partial == 5)
    #expect(none.statistics.text.contains(", 5 sent in part or not at all, "))
  }

  /// Answers come after the frame was counted.
  @Test func whatAReceiverRefusesAfterwardsIsTakenBack() {
    var statistics = StreamStatistics()
    statistics.count(receivers: 3, complete: 3)
    for complete in (1...3).reversed() {
      #expect(statistics.sent == 1 && statistics.sentToSome == (complete < 3 ? 1 : 0) && statistics.partial == 0)
      statistics.takeBack(receivers: 3, complete: complete)
    }
    #expect(statistics.sent == 0 && statistics.sentToSome == 0 && statistics.partial == 1)
    // It was counted before the measured frames.
    statistics = StreamStatistics()
    statistics.takeBack(receivers: 1, complete: 1)
    #expect(statistics == StreamStatistics())
  }

  /// A frame that is being spread is not cut off by one that comes too soon, nor by those behind.
  @Test func whatThePaceHoldsBackIsSentAllTheSame() throws {
    let jpeg = try TestJPEG.make(width: 1920, height: 1200)
    #expect(jpeg.count > 95_000)
    let start = Clock.monotonic
    let result = try run((0..<5).map { .init(bytes: jpeg, sequence: $0) }, words: ["--pace", "on"])
    #expect(result.statistics.sent == 5 && result.statistics.partial == 0 && result.markers == 5)
    // Half an interval each, but for the first 16 kB; the last one's rest leaves at once, as there is none behind.
    #expect(Clock.monotonic - start > 4 * 12_000_000)
  }

  /// What can't be sent is given back, counted by its cause, and does not stop the good frames around it.
  @Test func badFramesAreCounted() throws {
    let jpeg = try TestJPEG.make()
    let entries: [Entry] = [
      .init(bytes: jpeg, sequence: 10), .init(bytes: [], sequence: 11), .init(bytes: [1, 2, 3], sequence: 12),
      .init(bytes: Array(jpeg.prefix(30)), sequence: 13), .init(bytes: Array(jpeg.dropLast(2)), sequence: 14),
      .init(bytes: jpeg, sequence: 15, isDamaged: true), .init(bytes: jpeg, sequence: 18),
      .init(bytes: jpeg + [0, 0, 0], sequence: 19), .init(bytes: jpeg, sequence: 3, time: 340),
    ]
    let result = try run(entries)
    #expect(result.statistics.captured == 9 && result.statistics.sent == 4 && result.markers == 4)
    for cause in [DropCause.empty, .noSOI, .truncated, .noEOI, .damaged] { #expect(result.statistics[cause] == 1) }
    // 16 and 17 never came; a number that goes back is a camera that began anew.
    #expect(result.statistics[.driver] == 2 && result.statistics.dropped == 7)
  }
}

@Suite struct CountingTests {
  @Test func gapsAreDropsOfTheDriver() {
    var gaps = SequenceGaps()
    let sequences: [UInt32] = [5, 6, 9, 9, 2, .max - 1, .max, 0, 2]
    let verdicts = sequences.enumerated().map { gaps.judge($1, at: Int64($0)) }
    #expect(verdicts == [0, 0, 2, 0, 0, 0, 0, 0, 1].map { .next(missing: $0) })
  }

  /// As uvcvideo was seen to do it: each frame is sent or counted once, and none behind a newer one.
  @Test func framesThatWereOvertaken() throws {
    var gaps = SequenceGaps()
    let verdicts = [51, 53, 52, 54].map { gaps.judge($0, at: Int64($0)) }
    #expect(verdicts == [.next(missing: 0), .next(missing: 1), .overtaken, .next(missing: 0)])
    // One that began anew has later times.
    #expect(gaps.judge(50, at: 55) == .next(missing: 0))
    let jpeg = try TestJPEG.make()
    let result = try CameraLoopTests().run(
      [(51, 0), (53, 66), (52, 65), (54, 100)].map { .init(bytes: jpeg, sequence: $0, time: $1) })
    #expect(result.statistics.captured == 3 && result.statistics.sent == 3 && result.statistics[.driver] == 1)
  }

  /// A first frame that is in time, and three that were captured while the driver hung.
  private func lateFrames(_ bytes: [UInt8]) -> [CameraLoopTests.Entry] {
    (0..<4).map { .init(bytes: bytes, sequence: $0, delay: $0 == 1 ? 300 : 0) }
  }

  /// A loop that is behind sends the newest frame, unless all are kept; a late frame alone is sent.
  @Test(arguments: [false, true]) func theNewestFrameWins(keepsAll: Bool) throws {
    let result = try CameraLoopTests().run(
      lateFrames(try TestJPEG.make()), age: 0, words: keepsAll ? ["--keep-all"] : [], mostHeld: keepsAll ? 0 : 1)
    #expect(result.statistics.captured == 4 && result.statistics.stale == (keepsAll ? 0 : 2))
    #expect(result.statistics.sent == (keepsAll ? 4 : 2) && result.markers == (keepsAll ? 4 : 2))
  }

  /// A frame whose place a newer one takes goes back as it is.
  @Test func staleFramesAreNotEncoded() throws {
    let board = try Board()
    let result = try CameraLoopTests().run(
      lateFrames([UInt8](repeating: 128, count: 160 * 128 * 2)), mode: .init("YUYV", [(160, 128)]), age: 0,
      mostHeld: 1, board: board)
    #expect(result.statistics.stale == 2 && result.statistics.sent == 2)
    #expect(board.read().measured?.stages.first { $0.stage == .encoding }?.times.count == 2)
  }

  @Test func lateIsWhatIsLaterThanUsual() {
    var lateness = Lateness(interval: 33_000_000)
    let ages: [Int64] = [20, 25, 22, 54, 50, 20, 1000].map { $0 * 1_000_000 }
    let verdicts = ages.map { lateness.isLate($0) }
    #expect(verdicts == [false, false, false, true, false, false, true])
    // A camera that became slower for good is not late for ever.
    var late = 0
    for _ in 0..<3000 where lateness.isLate(100_000_000) { late += 1 }
    let isLate = lateness.isLate(100_000_000)
    #expect(late < 500 && !isLate)
  }

  /// A camera that promises 30 and gives 20 is told; frames that the driver dropped are not the camera's.
  @Test func aLowRateIsSaidOnce() {
    func said(_ interval: Int64, everyOther step: UInt32 = 1) -> [Double] {
      var check = RateCheck(FrameRate(30))
      return (0..<400).compactMap { check.check(Int64($0) * interval * Int64(step), sequence: UInt32($0) * step) }
    }
    #expect(said(50_000_000).map { ($0 * 10).rounded() } == [200])
    #expect(said(33_333_333).isEmpty)
    #expect(said(33_333_333, everyOther: 2).isEmpty)
    #expect(said(35_000_000).isEmpty)
    var unknown = RateCheck(nil)
    #expect((0..<400).allSatisfy { unknown.check(Int64($0) * 1_000_000_000, sequence: UInt32($0)) == nil })
  }

  @Test func newDropsAreSeenOnce() {
    var statistics = StreamStatistics()
    var said: UInt32 = 0
    #expect(!statistics.newDrops(since: &said))
    statistics[.noEOI] += 1
    #expect(statistics.newDrops(since: &said))
    statistics[.noEOI] += 1
    #expect(!statistics.newDrops(since: &said))
    statistics[.driver] += 1
    #expect(statistics.newDrops(since: &said) && statistics.dropText == "driver 1, no_eoi 2")
  }
}
