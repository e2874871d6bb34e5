import LinuxIO
import Synchronization
import Testing
import V4L2Capture

@testable import streamer

/// A camera that plays a list of frames as fast as they are asked for, and then tells its loop to stop.
struct ScriptedSource: FrameSource, ~Copyable {
  struct Entry {
    var bytes: [UInt8]
    var sequence: UInt32
    var isDamaged = false
    /// In milliseconds; nil: as the sequence says, at 30 a second.
    var time: Int64?
  }

  let info = SourceInfo(size: FrameSize(64, 64), rate: FrameRate(30), largestFrame: 1 << 20, description: "a script")
  private let bell: EventFD
  private var entries: [Entry]
  private let memory = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 16)
  private let lent: UnsafeMutablePointer<Int>
  /// Of a camera of raw pictures: how many were encoded.
  private let encoded: UnsafeMutablePointer<Int>?
  private let stop: () -> Void
  private let atEveryFrame: () -> Void
  let workedThrough: UInt64?

  /// - Parameters:
  ///   - bell: is raised as long as there are frames.
  ///   - lent: how many frames are out, for the test to see.
  init(
    _ entries: [Entry], bell: consuming EventFD, lent: UnsafeMutablePointer<Int>, encoded: UnsafeMutablePointer<Int>?,
    workedThrough: UInt64?,
    stop: @escaping () -> Void, atEveryFrame: @escaping () -> Void
  ) {
    self.encoded = encoded
    bell.raise()
    self.bell = bell
    self.entries = entries
    self.lent = lent
    self.workedThrough = workedThrough
    self.stop = stop
    self.atEveryFrame = atEveryFrame
  }

  deinit { memory.deallocate() }

  var number: Int32 { bell.number }

  var isQueue: Bool { true }

  var isRaw: Bool { encoded != nil }

  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame {
    encoded?.pointee += 1
    return frame
  }

  mutating func next() throws -> Frame? {
    atEveryFrame()
    guard !entries.isEmpty else {
      bell.lower()
      stop()
      return nil
    }
    let entry = entries.removeFirst()
    UnsafeMutableRawBufferPointer(start: memory, count: entry.bytes.count).copyBytes(from: entry.bytes)
    // Swift 6.3 crashes with ThreadSanitizer where `pointee` is changed through `self`.
    let lent = lent
    lent.pointee += 1
    return Frame(
      bytes: UnsafeRawBufferPointer(start: memory, count: entry.bytes.count), sequence: entry.sequence,
      timestamp: entry.time.map { $0 * 1_000_000 } ?? Int64(entry.sequence) * 33_333_333, isDamaged: entry.isDamaged,
      lender: lent, index: 0
    ) { lent, _ in lent.assumingMemoryBound(to: Int.self).pointee -= 1 }
  }
}

@Suite struct CameraLoopTests {
  /// Runs a script through a loop.
  /// - Parameter address: in place of the receiver's.
  /// - Returns: what was counted, and what a receiver got: packets with the marker, and all.
  func run(
    _ entries: [ScriptedSource.Entry], to address: String? = nil, packetSize: Int = 1400, words: [String] = [],
    mostHeld: Int = 0,
    workedThrough: UInt64? = nil, encoded: UnsafeMutablePointer<Int>? = nil, board: Board? = nil
  ) throws -> (statistics: StreamStatistics, packets: Int, markers: Int) {
    var receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1 << 22)
    let lent = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    defer { lent.deallocate() }
    lent.initialize(to: 0)
    let board = try board ?? Board()
    let mailbox = try Mailbox()
    let source = ScriptedSource(
      entries, bell: try EventFD(), lent: lent, encoded: encoded, workedThrough: workedThrough,
      stop: { mailbox.post(.stop) }
    ) {
      #expect(lent.pointee <= mostHeld)
    }
    let address = address ?? "\(receiver.localAddress)"
    let options = try StreamOptions(
      Arguments(["test:", "--to", address, "--mtu", "\(packetSize)"] + words))
    let settings = try StreamSettings(options, camera: 0)
    for address in settings.destinations { mailbox.post(.add(address)) }
    let events = try LoopEvents(source: source.number, mailbox: mailbox.number, statsSeconds: nil)
    var loop = CameraLoop(source, settings, events: events, mailbox: mailbox, board: board)
    try loop.run()
    #expect(lent.pointee == 0)
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
    _ = try run([.init(bytes: try TestJPEG.make(), sequence: 0)], board: board)
    let state = board.read()
    #expect(state.info?.size == FrameSize(64, 64) && state.pictureSize == FrameSize(160, 128))
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
    let entries = (0..<5).map { ScriptedSource.Entry(bytes: jpeg, sequence: $0) }
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
    let entries: [ScriptedSource.Entry] = [
      .init(bytes: jpeg, sequence: 10), .init(bytes: [], sequence: 11), .init(bytes: [1, 2, 3], sequence: 12),
      .init(bytes: Array(jpeg.prefix(30)), sequence: 13), .init(bytes: Array(jpeg.dropLast(2)), sequence: 14),
      .init(bytes: jpeg, sequence: 15, isDamaged: true), .init(bytes: jpeg, sequence: 18),
      .init(bytes: jpeg + [0, 0, 0], sequence: 19), .init(bytes: jpeg, sequence: 3, time: 667),
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
      [(51, 1700), (53, 1766), (52, 1765), (54, 1800)].map { .init(bytes: jpeg, sequence: $0, time: $1) })
    #expect(result.statistics.captured == 3 && result.statistics.sent == 3 && result.statistics[.driver] == 1)
  }

  /// A loop that is behind sends the newest frame, unless all are kept; a late frame alone is sent.
  @Test(arguments: [false, true]) func theNewestFrameWins(keepsAll: Bool) throws {
    let jpeg = try TestJPEG.make()
    // The first one's age is what is usual; those behind it were captured long before.
    let result = try CameraLoopTests().run(
      [(1, 3_600_000), (2, 10), (3, 20), (4, 30)].map { .init(bytes: jpeg, sequence: $0, time: $1) },
      words: keepsAll ? ["--keep-all"] : [], mostHeld: keepsAll ? 0 : 1)
    #expect(result.statistics.captured == 4 && result.statistics.stale == (keepsAll ? 0 : 2))
    #expect(result.statistics.sent == (keepsAll ? 4 : 2) && result.markers == (keepsAll ? 4 : 2))
  }

  /// What a newer frame takes the place of is given back as it is.
  @Test func staleFramesAreNotEncoded() throws {
    let jpeg = try TestJPEG.make()
    let encoded = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    defer { encoded.deallocate() }
    encoded.initialize(to: 0)
    let result = try CameraLoopTests().run(
      [(1, 3_600_000), (2, 10), (3, 20), (4, 30)].map { .init(bytes: jpeg, sequence: $0, time: $1) }, mostHeld: 1,
      encoded: encoded)
    #expect(result.statistics.stale == 2 && result.statistics.sent == 2 && encoded.pointee == 2)
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

  @Test func silenceIsSaidOnceAndSoIsItsEnd() {
    let second: Int64 = 1_000_000_000
    var check = SilenceCheck(FrameRate(30), now: 0)
    let frames: [UInt64] = [30, 60, 60, 60, 60, 60, 60, 90, 120]
    let news = frames.enumerated().map { check.check($1, at: Int64($0 + 1) * second) }
    #expect(news == [false, false, false, false, true, false, false, true, false])
    // From the beginning, and not of a camera that takes a picture a minute.
    var never = SilenceCheck(nil, now: 0)
    #expect((1...10).filter { never.check(0, at: $0 * second) } == [3])
    var slow = SilenceCheck(FrameRate(1, 60), now: 0)
    #expect(!(1...179).contains { slow.check(0, at: $0 * second) })
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
