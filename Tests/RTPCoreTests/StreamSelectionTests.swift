import Testing

@testable import RTPCore

/// Which packets a depacketizer takes: those of one stream, through its sender's restarts, forged packets and other senders.
@Suite struct StreamSelectionTests {
  private static let sender = TransportAddress(host: SIMD2(0, 0xFFFF_7F00_0001), port: 4000)
  private static let otherPort = TransportAddress(host: sender.host, port: 4002)
  private static let stranger = TransportAddress(host: SIMD2(0, 0xFFFF_7F00_0002), port: 5004)

  /// A receiver, and the clock by which packets come.
  private final class Receiver {
    var depacketizer = Depacketizer()
    /// Nanoseconds.
    var now: Int64 = 1_000_000_000
    var datagrams: UInt64 = 0

    @discardableResult
    func take(_ packet: [UInt8], from address: TransportAddress = StreamSelectionTests.sender) -> Bool {
      datagrams += 1
      return packet.withUnsafeBytes { bytes in
        if case .frame = depacketizer.receive(bytes, from: address, arrival: now) { true } else { false }
      }
    }

    /// Takes frames of a sender, 40 ms apart.
    /// - Returns: how many came out whole.
    func take(
      _ count: Int, of sender: inout Sender, from address: TransportAddress = StreamSelectionTests.sender
    ) -> Int {
      var frames = 0
      for _ in 0..<count {
        for packet in sender.frame() where take(packet, from: address) { frames += 1 }
        now += 40_000_000
      }
      return frames
    }

    /// Each packet is counted once, but for the stream's own that are malformed.
    var isExact: Bool {
      depacketizer.statistics.packets + depacketizer.foreign + depacketizer.malformed
        - depacketizer.malformedOfStream == datagrams
    }
  }

  /// Sends frames of three packets, 3600 ticks apart.
  private struct Sender {
    var ssrc: UInt32 = 0xCAFE
    var sequence: UInt16 = 1000
    var timestamp: UInt32 = 5000
    /// Of 128 and more, whose tables come with frames.
    var q: UInt8 = 50
    var sendsTables = false
    var typeSpecific: UInt8 = 0

    mutating func frame() -> [[UInt8]] {
      defer { timestamp &+= 3600 }
      return (0..<3).map { index in
        defer { sequence &+= 1 }
        return packet(sequence, timestamp, part: index)
      }
    }

    func packet(_ sequence: UInt16, _ timestamp: UInt32, part: Int) -> [UInt8] {
      written { writer in
        writer.put(UInt16(0x8000 | 26 | (part == 2 ? 0x80 : 0)))
        writer.put(sequence)
        writer.put(timestamp)
        writer.put(ssrc)
        writer.put(UInt32(typeSpecific) << 24 | UInt32(part * 100))
        writer.put(UInt32(0x0100_0202) | UInt32(q) << 16)
        if part == 0, q >= 128 {
          writer.put(UInt32(sendsTables ? 128 : 0))
          if sendsTables { for _ in 0..<128 { writer.put(UInt8(7)) } }
        }
        for byte in 0..<100 { writer.put(UInt8(byte)) }
      }
    }

    /// A whole frame in one packet.
    func single(_ sequence: UInt16, _ timestamp: UInt32) -> [UInt8] {
      var bytes = packet(sequence, timestamp, part: 0)
      bytes[1] |= 0x80
      return bytes
    }
  }

  /// Sequence and timestamp: by how much they jump.
  static let jumps: [(Int, Int64)] = [
    (0, 1 << 31), (0, 1 << 30), (0, 90_000 * 10), (0, -3600 * 2), (0, -90_000), (0, -(1 << 30)), (0, -(1 << 31) + 5),
    (5000, 0), (20_000, 0), (32_767, 0), (32_768, 0), (40_000, 0), (-101, 0), (-5000, 0), (-20_000, 0),
    (20_000, 1 << 30), (-20_000, 1 << 30), (20_000, -(1 << 30)), (-20_000, -(1 << 30)), (-2, -3600), (-50, -90_000),
    (500, -90_000), (32_768, 1 << 31), (-50, -180_000), (-3, -(1 << 30)), (-99, -(1 << 31) + 5), (-1, -7200),
    (-99, -45_000), (-10, -90_000), (-30, -3600 * 10),
  ]

  /// Those that no late packet can have. Swift 6.0 crashes on a closure in the arguments of @Test.
  static let forgedJumps = jumps.filter { abs($0.0) > 2000 || abs($0.1) > 90_000 }

  /// A sender that restarts under its SSRC at once: no frame is lost, but for where its numbers and timestamps go back by
  /// so few that its packets can be late ones: two frames are taken for such.
  @Test(arguments: jumps) func aSenderRestarts(sequence: Int, timestamp: Int64) {
    let receiver = Receiver()
    var sender = Sender()
    let before = receiver.take(10, of: &sender)
    sender.sequence = UInt16(truncatingIfNeeded: Int(sender.sequence) + sequence)
    sender.timestamp = UInt32(truncatingIfNeeded: Int64(sender.timestamp) + timestamp)
    let after = receiver.take(60, of: &sender)
    let isLate = (-100..<0).contains(sequence) && (-93_600..<0).contains(timestamp)
    #expect(before == 10 && after >= (isLate ? 58 : 60))
    #expect(receiver.depacketizer.statistics.lost == 0)
    #expect(receiver.isExact)
  }

  /// Again and again.
  @Test func aSenderRestartsOften() {
    let receiver = Receiver()
    var sender = Sender()
    var frames = 0
    for _ in 0..<100 {
      frames += receiver.take(2, of: &sender)
      sender.sequence = .random(in: 0 ... .max)
      sender.timestamp = .random(in: 0 ... .max)
    }
    // By chance some of it looks like a part of the stream.
    #expect(frames >= 190)
    #expect(receiver.isExact)
  }

  /// One forged packet with the stream's address and SSRC, by how much it is ahead: all frames come.
  @Test(arguments: forgedJumps, [0, 1, 2])
  func aForgedPacketDisturbsNothing(jump: (Int, Int64), place: Int) {
    let (sequence, timestamp) = jump
    let receiver = Receiver()
    var sender = Sender()
    var frames = receiver.take(10, of: &sender)
    for _ in 0..<20 {
      for (index, packet) in sender.frame().enumerated() {
        if index == place {
          let forged = sender.single(
            UInt16(truncatingIfNeeded: Int(sender.sequence) + sequence),
            UInt32(truncatingIfNeeded: Int64(sender.timestamp) + timestamp))
          let isTaken = receiver.take(forged)
          #expect(!isTaken)
        }
        if receiver.take(packet) { frames += 1 }
      }
      receiver.now += 40_000_000
    }
    receiver.depacketizer.finish()
    #expect(frames == 30 && receiver.depacketizer.incomplete == 0 && receiver.depacketizer.statistics.lost == 0)
    #expect(receiver.depacketizer.foreign == 20 && receiver.isExact)
  }

  /// A forged packet that can be one of the stream's next costs a frame, not the stream.
  @Test(arguments: [(0, 80_000), (1, 80_000), (50, 80_000), (50, 0), (2900, 80_000), (2900, 0)])
  func aForgedPacketThatFitsCostsLittle(sequence: Int, timestamp: Int64) {
    let receiver = Receiver()
    var sender = Sender()
    var frames = receiver.take(10, of: &sender)
    receiver.take(sender.single(sender.sequence &+ UInt16(sequence), sender.timestamp &+ UInt32(timestamp)))
    frames += receiver.take(60, of: &sender)
    #expect(frames >= 70 - 18)
    #expect(receiver.isExact)
  }

  /// What a network delays arrives all at once, or among newer packets: its sender did not restart.
  @Test(arguments: [false, true]) func delayedPacketsAreNoRestart(isSpread: Bool) {
    let receiver = Receiver()
    var sender = Sender()
    var frames = receiver.take(10, of: &sender)
    var late = (0..<8).flatMap { _ in sender.frame() }
    receiver.now += 8 * 40_000_000
    while frames < 20 || !late.isEmpty {
      frames += receiver.take(1, of: &sender)
      for _ in 0..<(isSpread ? min(3, late.count) : late.count) { receiver.take(late.removeFirst()) }
    }
    #expect(receiver.depacketizer.restarts == 0 && receiver.depacketizer.statistics.lost == 0)
    #expect(receiver.depacketizer.foreign == 0 && receiver.isExact)
  }

  /// A camera of one frame in `interval` milliseconds, and pairs of packets of another sender every 400 ms, with or without
  /// a whole frame: the camera loses nothing, once two of its frames have shown how slow it is.
  @Test(arguments: [1500, 2000, 3300], [false, true]) func aSlowCameraKeepsItsPlace(interval: Int, hasFrames: Bool) {
    let receiver = Receiver()
    var sender = Sender()
    var frames = 0
    for number in 0..<20 {
      for packet in sender.frame() where receiver.take(packet) { frames += 1 }
      sender.timestamp &+= UInt32(interval * 90)
      for pause in 0..<interval / 100 {
        if number > 0, pause % 4 == 3 {
          let other = Sender(ssrc: 0xBAD)
          for sequence: UInt16 in 0..<2 {
            let (sequence, timestamp) = (UInt16(number * 1000 + pause * 10) + sequence, UInt32(sequence) * 3600)
            receiver.take(
              hasFrames ? other.single(sequence, timestamp) : other.packet(sequence, timestamp, part: 0),
              from: Self.stranger)
          }
        }
        receiver.now += 100_000_000
      }
    }
    receiver.depacketizer.finish()
    #expect(frames == 20 && receiver.depacketizer.incomplete == 0 && receiver.depacketizer.restarts == 0)
    #expect(receiver.depacketizer.statistics.lost == 0 && receiver.isExact)
  }

  /// The stall after which another stream is followed: four frame intervals, from 1 s to 15 s.
  @Test(arguments: [(40, 1000), (200, 1000), (500, 2000), (2000, 8000), (3700, 14_800), (10_000, 15_000)])
  func theStallIsOfTheFrameRate(interval: Int64, stall: Int64) {
    for (pause, isFollowed) in [(stall - 50, false), (stall + 50, true)] {
      let receiver = Receiver()
      var (first, second) = (Sender(), Sender(ssrc: 0xBAD))
      for number in 0..<3 {
        if number > 0 { receiver.now += interval * 1_000_000 }
        for packet in first.frame() { receiver.take(packet) }
        first.timestamp &+= UInt32(interval * 90) &- 3600
      }
      receiver.now += pause * 1_000_000
      let frames = receiver.take(1, of: &second, from: Self.stranger)
      #expect(frames == (isFollowed ? 1 : 0), "after \(pause) ms")
    }
  }

  /// After a stall two packets of a stranger take the stream's place. It goes on, and has it back at once, with the tables
  /// that it sent before.
  @Test(arguments: [1, 4]) func aStreamThatGoesOnHasItsPlaceBack(pairs: Int) {
    let receiver = Receiver()
    var sender = Sender(q: 200, sendsTables: true)
    var frames = receiver.take(1, of: &sender)
    sender.sendsTables = false
    frames += receiver.take(9, of: &sender)
    for round in 0..<5 {
      for pair in 0..<pairs {
        receiver.now += 1_100_000_000
        let other = Sender(ssrc: UInt32(pair))
        for part in 0..<2 { receiver.take(other.packet(UInt16(part), 1, part: part), from: Self.stranger) }
      }
      #expect(receiver.depacketizer.source?.address == Self.stranger)
      sender.timestamp &+= UInt32(pairs) * 99_000
      frames += receiver.take(30, of: &sender)
      #expect(frames == 10 + 30 * (round + 1))
    }
    #expect(receiver.depacketizer.foreign == 0 && receiver.depacketizer.statistics.lost == 0 && receiver.isExact)
  }

  static let siblings: [(TransportAddress, UInt32)] = [(otherPort, 0xCAFE), (sender, 0xBAD)]

  /// A sender that crashed, within a frame or after one, and comes back from another port, or under another SSRC: it is
  /// followed from its second packet on.
  @Test(arguments: siblings, [0, 1, 2]) func aSenderComesBack(source: (TransportAddress, UInt32), sent: Int) {
    let receiver = Receiver()
    var (sender, address, frames) = (Sender(), Self.sender, 0)
    for round: UInt32 in 1...4 {
      frames += receiver.take(10, of: &sender, from: address)
      #expect(frames == 10 * Int(round))
      for packet in sender.frame().prefix(sent) { receiver.take(packet, from: address) }
      receiver.now += 40_000_000
      let isBack = round % 2 == 0
      address = isBack ? Self.sender : source.0
      sender = Sender(ssrc: isBack ? 0xCAFE : source.1, sequence: .random(in: 0 ... .max), timestamp: round << 30)
    }
    #expect(receiver.depacketizer.foreign == 0 && receiver.depacketizer.statistics.lost == 0)
    #expect(receiver.depacketizer.restarts == 3 && receiver.isExact)
  }

  /// Another sender on the same host, while the first goes on: the first stays, and loses nothing.
  @Test(arguments: siblings, [0, 1, 2, 3]) func twoSendersOfOneHost(source: (TransportAddress, UInt32), place: Int) {
    let receiver = Receiver()
    var sender = Sender()
    var other = Sender(ssrc: source.1, sequence: 50_000, timestamp: 1 << 31)
    var frames = receiver.take(10, of: &sender)
    for _ in 0..<50 {
      for (index, packet) in sender.frame().enumerated() {
        if index == place { for packet in other.frame() { receiver.take(packet, from: source.0) } }
        if receiver.take(packet) { frames += 1 }
        receiver.now += 1_000_000
      }
      if place == 3 { for packet in other.frame() { receiver.take(packet, from: source.0) } }
      receiver.now += 37_000_000
    }
    #expect(frames == 60)
    // One of the other's, at most, was followed.
    #expect(receiver.depacketizer.foreign >= 147 && receiver.depacketizer.restarts <= 2 && receiver.isExact)
  }

  /// A goodbye that was not the source's own, and a stranger's packet: the stream goes on without loss.
  @Test(arguments: [0, 1, 2, 3]) func aForgedGoodbyeEndsNothing(place: Int) {
    let receiver = Receiver()
    var sender = Sender()
    var frames = receiver.take(10, of: &sender)
    for number: UInt16 in 0..<50 {
      for (index, packet) in (sender.frame() + [[]]).enumerated() {
        if index == place {
          receiver.depacketizer.endSource()
          receiver.take(Sender(ssrc: 0xBAD).packet(number * 7, UInt32(number), part: 0), from: Self.stranger)
        }
        if !packet.isEmpty, receiver.take(packet) { frames += 1 }
      }
      receiver.now += 40_000_000
    }
    frames += receiver.take(10, of: &sender)
    #expect(frames == 70 && receiver.depacketizer.statistics.lost == 0 && receiver.isExact)
    let isFollowing = receiver.depacketizer.isFollowing
    #expect(isFollowing)
  }

  static let firsts: [(TransportAddress, UInt32)] = [(stranger, 0xBAD), (stranger, 0xCAFE), (sender, 0xBAD)]

  /// A packet of another sender comes first: the stream is followed from its second packet on, and no frame is lost.
  @Test(arguments: firsts)
  func aForeignPacketComesFirst(address: TransportAddress, ssrc: UInt32) {
    let receiver = Receiver()
    let other = Sender(ssrc: ssrc)
    receiver.take(other.packet(7, 7, part: 0), from: address)
    receiver.now += 900_000_000
    receiver.take(other.packet(7, 7, part: 0), from: address)
    var sender = Sender()
    let frames = receiver.take(10, of: &sender)
    #expect(frames == 10 && receiver.depacketizer.source == StreamSource(address: Self.sender, ssrc: 0xCAFE))
    #expect(receiver.isExact)
  }

  /// Another sender's packets come all the time, each with other numbers, or with those of a stream that never has a frame.
  @Test(arguments: [false, true], [1, 3, 30]) func foreignPacketsComeNowAndThen(isOrdered: Bool, every: Int) {
    let receiver = Receiver()
    var (sender, other) = (Sender(), Sender(ssrc: 0xBAD, sequence: 1))
    var frames = 0
    for number in 0..<300 {
      if number % every == 0 {
        let sequence = isOrdered ? UInt16(number / every) : .random(in: 0 ... .max)
        other.timestamp &+= isOrdered ? 3600 : .random(in: 0 ... .max)
        receiver.take(other.packet(sequence, other.timestamp, part: 0), from: Self.stranger)
      }
      // It starts after them.
      if number >= 5 { frames += receiver.take(1, of: &sender) } else { receiver.now += 40_000_000 }
    }
    // A stream without a whole frame keeps its place for 3 s.
    #expect(frames >= 295 - 80)
    #expect(receiver.depacketizer.source == StreamSource(address: Self.sender, ssrc: 0xCAFE))
    #expect(receiver.isExact)
  }

  /// Once it is followed, nothing of another sender's costs it anything, while it pauses, too.
  @Test func aStreamThatPausesKeepsItsPlace() {
    let receiver = Receiver()
    var sender = Sender()
    var frames = 0
    for number in 0..<30 {
      frames += receiver.take(1, of: &sender)
      receiver.now += 2_000_000_000
      sender.timestamp &+= 180_000
      receiver.take(sender.single(UInt16(number * 1000), UInt32(number)), from: Self.stranger)
    }
    receiver.depacketizer.finish()
    #expect(frames == 30 && receiver.depacketizer.foreign == 30 && receiver.depacketizer.incomplete == 0)
    #expect(receiver.depacketizer.firstForeign == StreamSource(address: Self.stranger, ssrc: 0xCAFE))
  }

  /// Two whole streams: the first one stays, until it ends.
  @Test(arguments: [false, true]) func theFirstOfTwoStreamsStays(saysGoodbye: Bool) {
    let receiver = Receiver()
    var (first, second) = (Sender(), Sender(ssrc: 0xBAD, sequence: 50_000, timestamp: 1 << 31))
    var frames = (0, 0)
    for number in 0..<100 {
      if number < 50 { frames.0 += receiver.take(1, of: &first) }
      if number == 50, saysGoodbye { receiver.depacketizer.endSource() }
      frames.1 += receiver.take(1, of: &second, from: Self.stranger)
    }
    #expect(frames.0 == 50)
    // A second of silence.
    #expect(frames.1 == (saysGoodbye ? 50 : 50 - 24))
    #expect(receiver.isExact)
  }

  /// After an outage the stream goes on, and what it lost is counted: as many as there can have been.
  @Test(arguments: [(100, 4), (1000, 40), (10_000, 400)]) func outagesAreCounted(packets: Int, milliseconds: Int64) {
    let receiver = Receiver()
    var sender = Sender()
    // 25 packets a millisecond, for a second.
    for number in 0..<25_000 {
      for packet in sender.frame() { receiver.take(packet) }
      sender.timestamp = 5000 &+ UInt32(number * 3600 / 1000)
      receiver.now += 120_000
    }
    receiver.now += milliseconds * 1_000_000
    sender.sequence &+= UInt16(packets)
    sender.timestamp &+= UInt32(milliseconds * 90)
    let frames = receiver.take(2, of: &sender)
    #expect(frames == 2 && receiver.depacketizer.statistics.lost == UInt64(packets))
    #expect(receiver.isExact)
  }

  /// The parts of the last frame that came, how long ago in milliseconds, and whether it is lost when the receiver stops then.
  static let lastFrames: [([Int], Int64, Bool)] = [
    ([0, 1], 0, false), ([0, 1], 99, false), ([0, 1], 101, true), ([1], 0, true), ([0, 2], 0, true), ([1, 2], 0, true),
    ([], 1000, false),
  ]

  /// What is pending at the end is counted, but for a frame that is arriving.
  @Test(arguments: lastFrames) func whatIsPendingAtTheEndIsCounted(parts: [Int], milliseconds: Int64, isLost: Bool) {
    let receiver = Receiver()
    var sender = Sender()
    let frames = receiver.take(6, of: &sender)
    // One without its first packet, which another one follows.
    let damaged = sender.frame()
    for packet in damaged.dropFirst() { receiver.take(packet) }
    let last = sender.frame()
    for part in parts { receiver.take(last[part]) }
    receiver.take(sender.single(9, 9), from: Self.stranger)
    receiver.now += milliseconds * 1_000_000
    receiver.depacketizer.finish(at: receiver.now)
    #expect(frames == 6 && receiver.depacketizer.incomplete == (isLost ? 2 : 1))
    #expect(receiver.depacketizer.foreign == 1 && receiver.isExact)
  }

  /// After its goodbye a stream does not go on.
  @Test func aFrameWithoutItsEndBeforeAGoodbyeIsLost() {
    let receiver = Receiver()
    var sender = Sender()
    let frames = receiver.take(6, of: &sender)
    for packet in sender.frame().dropLast() { receiver.take(packet) }
    receiver.depacketizer.endSource()
    receiver.depacketizer.finish(at: receiver.now)
    #expect(frames == 6 && receiver.depacketizer.incomplete == 1)
  }

  @Test(arguments: [(0, false), (1, true), (2, true), (3, true), (4, false)] as [(UInt8, Bool)])
  func fieldsAreCounted(typeSpecific: UInt8, isField: Bool) {
    let receiver = Receiver()
    var sender = Sender(typeSpecific: typeSpecific)
    let frames = receiver.take(5, of: &sender)
    #expect(frames == 5 && receiver.depacketizer.fields == (isField ? 5 : 0))
  }

  /// The tables of a Q are computed once, and for whole frames alone.
  @Test func tablesAreComputedOnce() {
    var cache = TableCache()
    for _ in 0..<10 {
      for q: UInt8 in 1...99 {
        let tables = cache.tables(nil, q: q)
        #expect(tables == QuantizationTables(q: q))
      }
      cache.received = [:]
    }
    #expect(cache.computations == 99)
  }
}

@Suite struct RangeListTests {
  /// Every order of some ranges that touch gives one.
  @Test func anyOrderIsJoined() {
    let ranges = (0..<40).map { $0 * 10..<($0 + 1) * 10 }
    for _ in 0..<200 {
      var list = RangeList()
      for (count, range) in ranges.shuffled().enumerated() {
        #expect(!list.isOnly(0..<400), "\(count)")
        let isNew = list.add(range)
        let isNewAgain = list.add(range.lowerBound + 3..<range.lowerBound + 4)
        #expect(isNew && !isNewAgain)
      }
      #expect(list.isOnly(0..<400) && list.count == 1)
    }
  }

  /// A frame in pieces of one byte with gaps, whatever their order, is given up as soon as it has more of them than a
  /// network makes: the list stays short.
  @Test(arguments: [true, false]) func aScatteredFrameIsGivenUp(isBackwards: Bool) throws {
    var assembly = FrameAssembly(largestScan: 1 << 20)
    let header = JPEGPayloadHeader(offset: 0, type: 1, q: 50, width: 2, height: 2)
    assembly.begin(PacketPlace(timestamp: 1, sequence: 1, offset: 0, isLast: false), header)
    var outcome = FrameAssembly.Outcome.placed
    var pieces = 0
    while outcome == .placed, pieces < 10_000 {
      let offset = UInt32(2 * (isBackwards ? 10_000 - pieces : pieces))
      let packet = written { writer in
        writer.put(UInt32(0x801A_0000))
        writer.put(UInt32(1))
        writer.put(UInt32(1))
        writer.put(offset)
        writer.put(UInt32(0x0132_0202))
        writer.put(UInt8(9))
      }
      try packet.withUnsafeBytes { bytes in
        let fragment = try Fragment(#require(RTPHeader.read(bytes)))
        let place = PacketPlace(timestamp: 1, sequence: 1 + pieces, offset: Int(offset), isLast: false)
        outcome = assembly.add(fragment, place)
      }
      pieces += 1
    }
    #expect(outcome == .scattered && pieces == FrameAssembly.maximumRanges + 1)
  }
}
