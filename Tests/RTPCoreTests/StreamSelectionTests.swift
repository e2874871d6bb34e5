import Testing

@testable import RTPCore

/// Which packets a depacketizer takes: those of one stream, through its sender's restarts, forged packets and other senders.
@Suite struct StreamSelectionTests {
  private static let sender = TransportAddress(host: SIMD2(0, 0xFFFF_7F00_0001), port: 4000)
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

    /// Each packet is counted once.
    var isExact: Bool {
      depacketizer.statistics.packets + depacketizer.foreign + depacketizer.malformed == datagrams
    }
  }

  /// Sends frames of three packets, 3600 ticks apart.
  private struct Sender {
    var ssrc: UInt32 = 0xCAFE
    var sequence: UInt16 = 1000
    var timestamp: UInt32 = 5000

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
        writer.put(UInt32(part * 100))
        writer.put(UInt32(0x0132_0202))
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
    (500, -90_000), (32_768, 1 << 31),
  ]

  /// Those that no late packet can have. Swift 6.0 crashes on a closure in the arguments of @Test.
  static let forgedJumps = jumps.filter { abs($0.0) > 2000 || abs($0.1) > 90_000 }

  /// A sender that restarts under its SSRC at once: no frame is lost, but for where its numbers go back by so few that
  /// its packets can be late ones.
  @Test(arguments: jumps) func aSenderRestarts(sequence: Int, timestamp: Int64) {
    let receiver = Receiver()
    var sender = Sender()
    let before = receiver.take(10, of: &sender)
    sender.sequence = UInt16(truncatingIfNeeded: Int(sender.sequence) + sequence)
    sender.timestamp = UInt32(truncatingIfNeeded: Int64(sender.timestamp) + timestamp)
    let after = receiver.take(60, of: &sender)
    let isLate = (-100..<0).contains(sequence) && timestamp < 0
    #expect(before == 10 && after >= (isLate ? 60 - 34 : 60))
    #expect(receiver.depacketizer.statistics.lost <= (isLate ? 100 : 0))
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

  /// The tables of a Q are computed once, and for whole frames alone.
  @Test func tablesAreComputedOnce() {
    var cache = TableCache()
    for _ in 0..<10 {
      for q: UInt8 in 1...99 {
        let tables = cache.tables(nil, q: q)
        #expect(tables == QuantizationTables(q: q))
      }
      cache.forget()
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
    assembly.begin(1, header)
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
        let fragment = try #require(RTPHeader.read(bytes).flatMap { Fragment($0) })
        outcome = assembly.add(fragment, isLast: false)
      }
      pieces += 1
    }
    #expect(outcome == .scattered && pieces == FrameAssembly.maximumRanges + 1)
  }
}
