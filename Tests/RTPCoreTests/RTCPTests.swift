import Testing

@testable import RTPCore

/// Vectors of RTCP's parts, used both ways; what is made is written, and read again.
@Suite struct RTCPVectorTests {
  static let blocks: [(ReportBlock, [UInt8])] = [
    (
      ReportBlock(
        ssrc: 0x0102_0304, fractionLost: 128, lost: 5, highestSequence: 0x0001_FFFE, jitter: 90,
        lastReport: 0xDEAD_BEEF, delay: 65_536),
      [1, 2, 3, 4, 128, 0, 0, 5, 0, 1, 0xFF, 0xFE, 0, 0, 0, 90, 0xDE, 0xAD, 0xBE, 0xEF, 0, 1, 0, 0]
    ),
    (
      ReportBlock(ssrc: 1, lost: -2),
      [0, 0, 0, 1, 0, 0xFF, 0xFF, 0xFE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    ),
    (
      ReportBlock(ssrc: 1, fractionLost: 255, lost: -0x80_0000),
      [0, 0, 0, 1, 255, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    ),
  ]

  @Test(arguments: blocks) func blockBothWays(block: ReportBlock, bytes: [UInt8]) {
    #expect(written { block.write(to: &$0) } == bytes)
    bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      #expect(ReportBlock(&reader) == block)
    }
  }

  /// What 24 bits can't say is as near as they can.
  @Test func lossesThatAreTooMany() {
    #expect(written { ReportBlock(ssrc: 0, lost: .max).write(to: &$0) }[4..<8] == [0, 0x7F, 0xFF, 0xFF])
    #expect(written { ReportBlock(ssrc: 0, lost: .min).write(to: &$0) }[4..<8] == [0, 0x80, 0, 0])
  }

  static let infos: [(SenderInfo, [UInt8])] = [
    (
      SenderInfo(ntp: NTPTime(value: 0xE93C_7F00_8000_0000), timestamp: 90_000, packets: 3, octets: 0xFFFF_FFFF),
      [0xE9, 0x3C, 0x7F, 0, 0x80, 0, 0, 0, 0, 1, 0x5F, 0x90, 0, 0, 0, 3, 0xFF, 0xFF, 0xFF, 0xFF]
    )
  ]

  @Test(arguments: infos) func infoBothWays(info: SenderInfo, bytes: [UInt8]) {
    #expect(written { info.write(to: &$0) } == bytes)
    bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      #expect(SenderInfo(&reader) == info)
    }
  }

  static let times: [(Int64, UInt64)] = [
    (0, 2_208_988_800 << 32), (500_000_000, 2_208_988_800 << 32 | 1 << 31),
    // The last second of era 0, and the first of era 1: February 2036.
    (2_085_978_495_000_000_000, 0xFFFF_FFFF << 32), (2_085_978_496_000_000_000, 0),
  ]

  @Test(arguments: times) func timesBothWays(nanoseconds: Int64, value: UInt64) {
    #expect(NTPTime(unixNanoseconds: nanoseconds).value == value)
    #expect(NTPTime(value: value).unixNanoseconds == nanoseconds)
  }

  @Test func timesAreExactToANanosecond() {
    for nanoseconds: Int64 in [1, 123_456_789, 999_999_999, 1_795_000_000_987_654_321] {
      #expect(abs(NTPTime(unixNanoseconds: nanoseconds).unixNanoseconds - nanoseconds) <= 1)
    }
    #expect(NTPTime(value: 0x1234_5678_9ABC_DEF0).middle == 0x5678_9ABC)
  }

  /// A name, and zeros up to a whole word: at least one.
  @Test func namesEndWithZeros() {
    for count in 0..<9 {
      let name = CanonicalName([UInt8](repeating: 65, count: count))
      let bytes = written { name.write(of: 7, to: &$0) }
      #expect(bytes.count % 4 == 0 && bytes.last == 0)
      #expect(Int(bytes[3]) * 4 + 4 == bytes.count)
      bytes.withUnsafeBytes { bytes in
        // A report must come first.
        let report: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 7]
        (report + Array(bytes)).withUnsafeBytes { datagram in
          #expect(RTCPReader(datagram)?.describes(7, as: name) == true)
          #expect(RTCPReader(datagram)?.describes(8, as: name) == false)
          #expect(RTCPReader(datagram)?.describes(7, as: CanonicalName()) == false)
        }
      }
    }
    #expect(CanonicalName() != CanonicalName())
  }

  /// What is no compound packet is refused (RFC 3550, A.2).
  @Test func refusesWhatIsNoCompound() {
    func isRead(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { RTCPReader($0) != nil } }
    let report: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 7]
    let goodbye: [UInt8] = [0x81, 203, 0, 1, 0, 0, 0, 7]
    #expect(isRead(report) && isRead(report + goodbye))
    #expect(!isRead(goodbye) && !isRead([]) && !isRead([0x80, 201]))
    #expect(!isRead([0x40, 201, 0, 1, 0, 0, 0, 7]))
    #expect(!isRead([0x80, 201, 0, 2, 0, 0, 0, 7]))
    #expect(!isRead(report + [0]) && !isRead(report + goodbye.dropLast()))
    // Padding is the last packet's, and not longer than it.
    let padded: [UInt8] = [0xA1, 203, 0, 2, 0, 0, 0, 7, 0, 0, 0, 4]
    #expect(isRead(report + padded) && !isRead(report + padded + goodbye))
    #expect(!isRead([0xA0, 201, 0, 1, 0, 0, 0, 0]) && !isRead(report + [0xA0, 203, 0, 1, 0, 0, 0, 9]))
  }

  /// A count that is more than there is makes a packet malformed, and the next one is read.
  @Test func countsThatLie() {
    let bytes: [UInt8] = [0x82, 201, 0, 1, 0, 0, 0, 7, 0x9F, 203, 0, 1, 0, 0, 0, 7, 0x81, 204, 0, 0]
    bytes.withUnsafeBytes { bytes in
      var reader = RTCPReader(bytes)
      var kinds: [String] = []
      while let packet = reader?.next() {
        if case .malformed = packet { kinds.append("malformed") } else { kinds.append("other") }
      }
      #expect(kinds == ["malformed", "malformed", "other"])
    }
  }

  @Test func nothingIsWrittenPastTheEnd() {
    var memory = [UInt8](repeating: 0xAA, count: 8)
    memory.withUnsafeMutableBytes { memory in
      var writer = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<5]))
      writer.put(UInt32(1))
      writer.put(UInt16(2))
      #expect(writer.isFull && writer.count == 4)
    }
    #expect(memory == [0, 0, 0, 1, 0xAA, 0xAA, 0xAA, 0xAA])
  }
}

/// The bytes that something writes.
func written(_ write: (inout ByteWriter) -> Void) -> [UInt8] {
  var memory = [UInt8](repeating: 0xAA, count: 512)
  let count = memory.withUnsafeMutableBytes { memory in
    var writer = ByteWriter(memory)
    write(&writer)
    return writer.count
  }
  return Array(memory[..<count])
}

private let second: Int64 = 1_000_000_000

@Suite struct ReportTimerTests {
  private func load(_ members: Int, isSender: Bool = true, bandwidth: Double = 1e6) -> ReportTimer.Load {
    .init(members: members, senders: 1, isSender: isSender, bandwidth: bandwidth)
  }

  /// RFC 3550, 6.3.1: 5 s, times 0.5 to 1.5, over e − 3/2; half of it before the first report.
  @Test(arguments: [(0.0, 2.05), (0.5, 4.1), (1.0, 6.16)]) func intervals(chance: Double, seconds: Double) {
    var timer = ReportTimer(now: 0, isUnicast: false, chance: chance)
    #expect(abs(Double(timer.due) / 1e9 - seconds / 2) < 0.01)
    let now = timer.due
    let isDue = timer.isDue(now, load(2), chance: chance)
    #expect(isDue)
    timer.sent(now, size: 60, load(2), chance: chance)
    #expect(abs(Double(timer.due - now) / 1e9 - seconds) < 0.01)
  }

  @Test func aReceiverOfItsOwnIsToldAtOnce() {
    var timer = ReportTimer(now: 7, isUnicast: true, chance: 1)
    let isDue = timer.isDue(7, load(1), chance: 1)
    #expect(isDue)
    timer.sent(7, size: 60, load(1), chance: 0.5)
    let isDueLater = timer.isDue(7 + second, load(1), chance: 0.5)
    #expect(!isDueLater)
  }

  /// Many members, or a thin line: as rare as a twentieth of the bandwidth asks, of which senders have a quarter.
  @Test func bandwidthIsShared() {
    func seconds(_ load: ReportTimer.Load) -> Double {
      var timer = ReportTimer(now: 0, isUnicast: true, chance: 0)
      // Reports of 100 bytes and their headers, until that is the average.
      for _ in 0..<200 { timer.average(100) }
      timer.sent(0, size: 100, load, chance: 0.5)
      return Double(timer.due) / 1e9 * 1.218_28
    }
    // 128 bytes a report, 10,000 bytes a second: RTCP has 500, receivers 375, of whom there are 999.
    #expect(abs(seconds(load(1000, isSender: false, bandwidth: 10_000)) - 128 * 999 / 375) < 1)
    // The sender has 125 for itself.
    #expect(abs(seconds(load(1000, bandwidth: 1000)) - 128 / 12.5) < 0.1)
    // Where senders are more than a quarter, all share alike.
    #expect(abs(seconds(load(2, bandwidth: 100)) - 128 * 2 / 5) < 0.5)
  }

  /// Many who join at once put the report off (6.3.3); those who leave bring it nearer (6.3.4).
  @Test func reconsideration() {
    var timer = ReportTimer(now: 0, isUnicast: true, chance: 0)
    timer.sent(0, size: 100, load(2, isSender: false, bandwidth: 10_000), chance: 0.5)
    let now = timer.due
    let isDue = timer.isDue(now, load(1000, isSender: false, bandwidth: 10_000), chance: 0.5)
    #expect(!isDue)
    let putOff = timer.due
    #expect(putOff > 50 * second)
    timer.left(now, members: 100)
    #expect(abs(Double(timer.due - now) / Double(putOff - now) - 0.1) < 0.001)
  }
}

@Suite struct RTCPSessionTests {
  private let name = CanonicalName()
  private let clock = MediaClock(offset: 1000)

  /// One report, as bytes.
  private func report(
    _ sender: inout RTCPSender, now: Int64, realtime: Int64 = 0, ssrc: UInt32 = 0xCAFE, isLast: Bool = false
  ) -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: 512)
    let count = memory.withUnsafeMutableBytes { memory in
      isLast
        ? sender.goodbye(ssrc: ssrc, clock: clock, now: now, realtime: realtime, into: memory)
        : sender.report(ssrc: ssrc, clock: clock, now: now, realtime: realtime, into: memory, chance: 0.5)
    }
    return Array(memory[..<count])
  }

  private func sender(now: Int64 = 0) -> RTCPSender {
    var sender = RTCPSender(name: name, isUnicast: true, now: now)
    sender.count(packets: 10, octets: 13_880)
    return sender
  }

  private func info(_ bytes: [UInt8]) -> SenderInfo? {
    bytes.withUnsafeBytes { bytes in
      var reader = RTCPReader(bytes)
      guard case .senderReport(0xCAFE, let info, _)? = reader?.next() else { return nil }
      return info
    }
  }

  /// The pair is of one instant: a frame's timestamp gives the wall clock of its capture, wherever that has stepped to.
  @Test func thePairIsOfTheCaptureClock() throws {
    for (now, wall) in [(second, 1000 * second), (20 * second, 5000 * second), (40 * second, 7 * second)] {
      var sender = sender()
      let bytes = report(&sender, now: now, realtime: wall)
      let told = try #require(info(bytes))
      #expect(told.timestamp == clock.timestamp(at: now))
      #expect(told.packets == 10 && told.octets == 13_880)
      let captured = now - 33_000_000
      #expect(abs(told.captureTime(of: clock.timestamp(at: captured)) - (wall - 33_000_000)) < 12_000)
    }
  }

  /// A sender that sends nothing is a receiver until it sends again (6.4).
  @Test func aSilentSenderSendsNoSenderReports() {
    var sender = sender()
    for now in [0, 10 * second] {
      let bytes = report(&sender, now: now)
      #expect(info(bytes) != nil)
    }
    let silent = report(&sender, now: 20 * second)
    #expect(silent.count > 0 && info(silent) == nil && silent[1] == 201)
    sender.count(packets: 1, octets: 1)
    let again = report(&sender, now: 30 * second)
    #expect(info(again) != nil)
  }

  @Test func goodbyeIsForThoseWhoSpoke() {
    var quiet = RTCPSender(name: name, isUnicast: true, now: 0)
    let nothing = report(&quiet, now: 1, isLast: true)
    #expect(nothing.isEmpty)
    var sender = sender()
    let bytes = report(&sender, now: 1, isLast: true)
    bytes.withUnsafeBytes { bytes in
      var reader = RTCPReader(bytes)
      var isEnded = false
      while let packet = reader?.next() {
        if case .goodbye(let sources) = packet { isEnded = Array(sources) == [0xCAFE] }
      }
      #expect(isEnded)
      #expect(RTCPReader(bytes)?.describes(0xCAFE, as: name) == true)
    }
  }

  /// Both sides, through a network that takes 7 ms each way and loses one packet in ten.
  @Test func aReceiverIsHeard() throws {
    var sender = sender()
    var receiver = RTCPReceiver(isUnicast: true)
    var statistics = ReceptionStatistics()
    for number in 0..<100 where number % 10 != 5 {
      let header = RTPHeader(
        marker: false, payloadType: 26, sequence: 65_500 &+ UInt16(number), timestamp: 0, ssrc: 0xCAFE)
      _ = statistics.record(header, size: 1400, arrival: 0)
    }
    var now = second
    let first = report(&sender, now: now, realtime: 1_795_000_000 * second)
    now += 7_000_000
    let event1 = first.withUnsafeBytes { receiver.receive($0, source: nil, now: now) }
    #expect(event1 == .none)
    #expect(receiver.senderReports == 1)
    now += 123_000_000
    var answer = [UInt8](repeating: 0, count: 512)
    let count = answer.withUnsafeMutableBytes {
      receiver.report(statistics, of: 0xCAFE, now: now, into: $0, chance: 0.5)
    }
    #expect(count > 0)
    now += 7_000_000
    let event = answer[..<count].withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: now) }
    #expect(event == .none)
    let reception = sender.reception
    #expect(reception.receivers == 1 && reception.lost == 10 && reception.fractionLost == 25)
    #expect(abs(try #require(reception.roundTrip) - 14_000_000) < 20_000)
    // It knows when a frame was captured.
    let captured = try #require(receiver.captureTime(of: clock.timestamp(at: second / 2), source: 0xCAFE, arrival: now))
    #expect(abs(captured - (1_795_000_000 * second - second / 2)) < 12_000)
    #expect(receiver.captureTime(of: 0, source: 1, arrival: now) == nil)

    // It leaves, and is no member any more.
    let last = answer.withUnsafeMutableBytes { receiver.goodbye(statistics, of: 0xCAFE, now: now, into: $0) }
    _ = answer[..<last].withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: now) }
    #expect(sender.reception.receivers == 0)
    // The sender leaves.
    let end = report(&sender, now: now, isLast: true)
    let event2 = end.withUnsafeBytes { receiver.receive($0, source: 0xCAFE, now: now) }
    #expect(event2 == .ended)
  }

  /// A report is of one stream: another one's timestamps, under the same SSRC, have no capture time until it reports.
  @Test(arguments: [-40, 0, 5, 40, 20_000]) func aRestartedSendersTimestampsHaveNoCaptureTime(jump: Int64) {
    var sender = sender()
    var receiver = RTCPReceiver(isUnicast: true)
    let wall = 1_795_000_000 * second
    func captured(_ instant: Int64, in receiver: borrowing RTCPReceiver) -> Int64? {
      receiver.captureTime(of: clock.timestamp(at: instant), source: 0xCAFE, arrival: 62 * second)
    }
    _ = report(&sender, now: 60 * second, realtime: wall).withUnsafeBytes {
      receiver.receive($0, source: 0xCAFE, now: 60 * second)
    }
    #expect((captured((62 + jump) * second, in: receiver) != nil) == (abs(jump) < 10))
    // Its first packet came before the report.
    receiver.forgetReport(before: 59 * second)
    #expect(captured(61 * second, in: receiver) != nil)
    receiver.forgetReport(before: 61 * second)
    #expect(captured(61 * second, in: receiver) == nil)
    sender = self.sender()
    _ = report(&sender, now: 62 * second, realtime: wall + 2 * second).withUnsafeBytes {
      receiver.receive($0, source: 0xCAFE, now: 62 * second)
    }
    #expect(captured(61 * second, in: receiver) != nil)
  }

  /// The source's reports and goodbye count from the port that the first of them came from, as long as reports come.
  @Test(arguments: [(1, false, false), (24, false, false), (26, false, true), (1, true, true)])
  func anotherPortSpeaksForNoSource(seconds: Int64, hasRestarted: Bool, isTaken: Bool) {
    var sender = sender()
    var receiver = RTCPReceiver(isUnicast: true)
    func receive(_ bytes: [UInt8], port: UInt16, at now: Int64, into receiver: inout RTCPReceiver) -> RTCPReceiver.Event
    {
      bytes.withUnsafeBytes {
        receiver.receive($0, from: TransportAddress(host: SIMD2(0, 1), port: port), source: 0xCAFE, now: now)
      }
    }
    let first = receive(report(&sender, now: second), port: 4001, at: second, into: &receiver)
    let now = (1 + seconds) * second
    if hasRestarted { receiver.forgetReport(before: now) }
    let forged = receive(report(&sender, now: now, isLast: true), port: 5001, at: now, into: &receiver)
    #expect(first == .none && forged == (isTaken ? .ended : .foreign))
    #expect(receiver.senderReports == (isTaken ? 2 : 1))
    let own = receive(report(&sender, now: now, isLast: true), port: 4001, at: now, into: &receiver)
    #expect(own == (isTaken ? .foreign : .ended))
  }

  /// A report that is answered after days: the time since then is as much as can be said, 18 hours.
  @Test(arguments: [(2, 2 << 16), (60, 60 << 16), (50 * 3600, Int(UInt32.max))])
  func delays(seconds: Int64, delay: Int) throws {
    var sender = sender()
    var receiver = RTCPReceiver(isUnicast: true)
    _ = report(&sender, now: 0).withUnsafeBytes { receiver.receive($0, source: 0xCAFE, now: 0) }
    var answer = [UInt8](repeating: 0, count: 512)
    let count = answer.withUnsafeMutableBytes {
      receiver.report(ReceptionStatistics(), of: 0xCAFE, now: seconds * second, into: $0, chance: 0)
    }
    let told = answer[..<count].withUnsafeBytes { bytes -> UInt32? in
      var reader = RTCPReader(bytes)
      guard case .receiverReport(_, var blocks)? = reader?.next() else { return nil }
      return blocks.next()?.delay
    }
    #expect(told.map { Int($0) } == delay)
  }

  @Test func silentReceiversAreForgotten() {
    var sender = sender()
    let heard = receiverReport(of: 5, about: 0xCAFE)
    _ = heard.withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: 0) }
    #expect(sender.reception.receivers == 1)
    _ = report(&sender, now: 20 * second)
    #expect(sender.reception.receivers == 1)
    _ = report(&sender, now: 60 * second)
    #expect(sender.reception.receivers == 0)
  }

  /// What a group gives back is no collision; another's packets with the same SSRC are one.
  @Test func collisionsAreTold() {
    var sender = sender()
    let own = report(&sender, now: 0)
    let event3 = own.withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: 1) }
    #expect(event3 == .none)
    var other = RTCPSender(name: CanonicalName(), isUnicast: true, now: 0)
    other.count(packets: 1, octets: 1)
    let same = report(&other, now: 0)
    let event4 = same.withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: 1) }
    #expect(event4 == .collision)
    let another = report(&other, now: 60 * second, ssrc: 1)
    let event5 = another.withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: 1) }
    #expect(event5 == .none)
    let receiver = receiverReport(of: 0xCAFE, about: 1)
    let event6 = receiver.withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: 1) }
    #expect(event6 == .collision)
  }

  /// A report about another source is nothing about this one; a thousand receivers take no more memory than 256.
  @Test func strangersAndCrowds() {
    var sender = sender()
    let stranger = receiverReport(of: 5, about: 0xBEEF)
    let event7 = stranger.withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: 0) }
    #expect(event7 == .none)
    #expect(sender.reception.receivers == 0)
    for ssrc: UInt32 in 10..<1010 {
      let bytes = receiverReport(of: ssrc, about: 0xCAFE)
      _ = bytes.withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: 0) }
    }
    // Who does not report about this source makes room.
    #expect(sender.reception.receivers == 256)
    _ = [0x80, 201].withUnsafeBytes { sender.receive($0, ssrc: 0xCAFE, now: 0) }
    #expect(sender.malformed == 1)
  }

  private func receiverReport(of ssrc: UInt32, about source: UInt32) -> [UInt8] {
    written { writer in
      RTCPHeader(count: 1, type: RTCPHeader.receiverReport, words: 7).write(to: &writer)
      writer.put(ssrc)
      ReportBlock(ssrc: source).write(to: &writer)
    }
  }
}

/// Reports that do not come from those who receive the stream.
@Suite struct ForgedReportTests {
  private static let receiver = TransportAddress(host: SIMD2(0, 0xFFFF_C0A8_0105), port: 5001)
  private static let stranger = TransportAddress(host: SIMD2(0, 0xFFFF_C0A8_0106), port: 5001)
  private let name = CanonicalName()

  /// A sender, and the middle of the NTP time of its report.
  private func sender(isUnicast: Bool) throws -> (RTCPSender, report: UInt32) {
    var sender = RTCPSender(name: name, isUnicast: isUnicast, receiver: Self.receiver, now: 0, chance: 0)
    sender.count(packets: 10, octets: 13_880)
    var memory = [UInt8](repeating: 0, count: 512)
    let count = memory.withUnsafeMutableBytes {
      sender.report(ssrc: 0xCAFE, clock: MediaClock(), now: 10 * second, realtime: second, into: $0, chance: 0)
    }
    try #require(count > 0)
    return (sender, NTPTime(unixNanoseconds: second).middle)
  }

  private func report(
    of ssrc: UInt32, lost: Int32 = 1234, answers report: UInt32 = 0, goodbye: Bool = false
  ) -> [UInt8] {
    written { writer in
      RTCPHeader(count: 1, type: RTCPHeader.receiverReport, words: 7).write(to: &writer)
      writer.put(ssrc)
      ReportBlock(ssrc: 0xCAFE, fractionLost: 255, lost: lost, lastReport: report).write(to: &writer)
      CanonicalName([65]).write(of: ssrc, to: &writer)
      if goodbye {
        RTCPHeader(count: 1, type: RTCPHeader.goodbye, words: 1).write(to: &writer)
        writer.put(ssrc)
      }
    }
  }

  private func take(
    _ bytes: [UInt8], from address: TransportAddress, into sender: inout RTCPSender, now: Int64 = 11 * second
  ) -> Bool {
    let event = bytes.withUnsafeBytes { sender.receive($0, from: address, ssrc: 0xCAFE, now: now) }
    return event == .collision
  }

  /// Whatever a stranger reports: it sets nothing, adds nobody, ends nobody, and collides with nothing.
  @Test func aStrangerIsNotHeard() throws {
    var (sender, answered) = try sender(isUnicast: true)
    _ = take(report(of: 5, lost: 1), from: Self.receiver, into: &sender)
    let (before, due) = (sender.reception, sender.due)
    #expect(before.receivers == 1 && before.lost == 1)
    for ssrc: UInt32 in [5, 0xCAFE, 6, 7] + (100..<500) {
      let forged = report(of: ssrc, answers: answered, goodbye: ssrc == 5)
      let collides = take(forged, from: Self.stranger, into: &sender)
      #expect(!collides)
    }
    #expect(sender.reception == before && sender.due == due && sender.foreign == 404)
  }

  /// Receivers report from odd ports, too: those that answer a report count until it reports from the port that RTCP is sent to.
  @Test func theReceiversPortCountsOnceItIsKnown() throws {
    var (sender, answered) = try sender(isUnicast: true)
    let odd = TransportAddress(host: Self.receiver.host, port: 40_000)
    // Anyone on the receiver's host may send this: it counts for nothing, and collides with nothing.
    let collided = take(report(of: 0xCAFE), from: odd, into: &sender)
    _ = take(report(of: 5), from: odd, into: &sender)
    #expect(!collided && sender.reception.receivers == 0)
    _ = take(report(of: 5, answers: answered), from: odd, into: &sender)
    #expect(sender.reception.lost == 1234)
    _ = take(report(of: 6, lost: 1), from: Self.receiver, into: &sender)
    #expect(sender.reception.lost == 1 && sender.reception.receivers == 1)
    let collides = take(report(of: 0xCAFE), from: odd, into: &sender)
    _ = take(report(of: 5), from: odd, into: &sender)
    #expect(!collides && sender.reception.lost == 1)
    // It left, or fell silent: another may take its place.
    _ = take(report(of: 6, goodbye: true), from: Self.receiver, into: &sender)
    _ = take(report(of: 7, lost: 7, answers: answered), from: odd, into: &sender)
    #expect(sender.reception.lost == 7)
    _ = take(report(of: 6, lost: 1), from: Self.receiver, into: &sender)
    _ = take(report(of: 7, lost: 7, answers: answered), from: odd, into: &sender, now: 60 * second)
    #expect(sender.reception.lost == 7)
  }

  /// In a group anyone may report, but on the stream only who answers its sender's reports.
  @Test func aGroupIsHeardWithinBounds() throws {
    var (sender, answered) = try sender(isUnicast: false)
    for number: UInt32 in 0..<1000 {
      let host = SIMD2<UInt64>(0, 0xFFFF_C0A8_0200 + UInt64(number % 20))
      _ = take(report(of: 100 + number), from: TransportAddress(host: host, port: 1), into: &sender)
    }
    #expect(sender.reception.receivers == 0)
    // The table is full, and yet its receivers have a place.
    for number: UInt32 in 0..<10 {
      let host = SIMD2<UInt64>(0, 0xFFFF_C0A8_0300 + UInt64(number))
      let answer = report(of: number, lost: 3, answers: answered)
      _ = take(answer, from: TransportAddress(host: host, port: 1), into: &sender)
    }
    #expect(sender.reception.receivers == 10 && sender.reception.lost == 3)
    // Nobody else ends them.
    for number: UInt32 in 0..<10 { _ = take(report(of: number, goodbye: true), from: Self.stranger, into: &sender) }
    #expect(sender.reception.receivers == 10 && sender.reception.lost == 3)
  }

  /// Of one host there are 16 participants at most.
  @Test func oneHostDoesNotFillTheTable() throws {
    var (sender, answered) = try sender(isUnicast: false)
    for ssrc: UInt32 in 0..<1000 { _ = take(report(of: ssrc, answers: answered), from: Self.stranger, into: &sender) }
    #expect(sender.reception.receivers == 16)
  }

  /// A host that collides again, or one host after another: the SSRC is changed no more (RFC 3550, 8.2).
  @Test func collisionsHaveAnEnd() throws {
    var (sender, _) = try sender(isUnicast: false)
    var changes = 0
    for number: UInt64 in 0..<100 {
      let address = TransportAddress(host: SIMD2(0, number / 10), port: UInt16(number))
      if take(report(of: 0xCAFE), from: address, into: &sender) {
        changes += 1
        sender.restart(now: 11 * second)
      }
    }
    #expect(changes == 4)
  }
}
