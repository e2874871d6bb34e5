import Testing

@testable import RTPCore

/// Where one frame ends and the next begins, of senders that break the rules for timestamps and markers: each frame is whole,
/// or counted as what it is.
@Suite struct FrameBoundaryTests {
  /// What the packets of a stream have.
  struct Packet {
    var sequence: UInt16
    var timestamp: UInt32 = 5000
    var offset = 0
    var marker = false
    var byte: UInt8 = 0
    var type: UInt8 = 1
    var q: UInt8 = 50
    /// A precision and bytes of tables.
    var tables: (precision: UInt8, length: UInt16, bytes: [UInt8])?
    var scan = 100
    var ssrc: UInt32 = 0xCAFE

    var bytes: [UInt8] {
      written { writer in
        writer.put(UInt16(0x8000 | 26 | (marker ? 0x80 : 0)))
        writer.put(sequence)
        writer.put(timestamp)
        writer.put(ssrc)
        writer.put(UInt32(offset))
        writer.put(UInt32(type) << 24 | UInt32(q) << 16 | 0x0202)
        if let tables {
          writer.put(UInt16(tables.precision))
          writer.put(tables.length)
          for byte in tables.bytes { writer.put(byte) }
        }
        for _ in 0..<scan { writer.put(byte) }
      }
    }
  }

  /// 40 frames of three packets; each frame's bytes are its number.
  private static func stream(_ change: (_ frame: Int, _ part: Int, inout Packet) -> Void) -> [Packet] {
    (0..<40).flatMap { frame in
      (0..<3).map { part in
        var packet = Packet(
          sequence: 65_500 &+ UInt16(3 * frame + part), timestamp: 5000 + 3600 * UInt32(frame), offset: 100 * part,
          marker: part == 2, byte: UInt8(frame))
        change(frame, part, &packet)
        return packet
      }
    }
  }

  private struct Outcome {
    var frames: UInt64 = 0
    /// Frames with another frame's bytes in them.
    var mixed = 0
    var incomplete: UInt64 = 0
    var malformed: UInt64 = 0
    var foreign: UInt64 = 0
    var restarts: UInt64 = 0
    var lost: UInt64 = 0
    var faults = FrameFaults()
  }

  /// - Parameter interval: milliseconds between frames.
  private func receive(_ packets: [Packet], interval: Int64 = 40) -> Outcome {
    var depacketizer = Depacketizer()
    var outcome = Outcome()
    var now: Int64 = 1_000_000_000
    for packet in packets {
      packet.bytes.withUnsafeBytes { bytes in
        guard case .frame(let jpeg, _, _, _) = depacketizer.receive(bytes, arrival: now) else { return }
        outcome.frames += 1
        // The scan, and EOI.
        if Set(jpeg.suffix(302).dropLast(2)).count > 1 { outcome.mixed += 1 }
      }
      now += interval * 1_000_000 / 3
    }
    depacketizer.finish()
    #expect(depacketizer.frames == outcome.frames)
    outcome.incomplete = depacketizer.incomplete
    outcome.malformed = depacketizer.malformed
    outcome.foreign = depacketizer.foreign
    outcome.restarts = depacketizer.restarts
    outcome.lost = depacketizer.statistics.lost
    outcome.faults = depacketizer.faults
    return outcome
  }

  /// How the frames' timestamps go on, and how many of 40 repeat the one before, or lie before it.
  static let timestamps: [(name: String, repeated: UInt64, backward: UInt64)] = [
    ("still", 39, 0), ("pairs", 20, 0), ("fours", 30, 0), ("back", 0, 39), ("back and forth", 0, 20),
    ("0, 1, 0, 1", 0, 20),
    ("half a second back", 0, 39), ("right", 0, 0),
  ]

  private static func timestamp(_ name: String, of frame: Int) -> UInt32 {
    let frame = UInt32(frame)
    return switch name {
    case "still": 7
    case "pairs": frame / 2 * 7200
    case "fours": frame / 4 * 14_400
    case "back": 10_000 &- 3600 &* frame
    case "back and forth": frame % 2 == 0 ? 100_000 + 3600 * frame : 3600 * frame + 90_000
    case "0, 1, 0, 1": 1 - frame % 2
    case "half a second back": 10_000 &- 45_000 &* frame
    default: 5000 + 3600 * frame
    }
  }

  @Test(arguments: timestamps) func framesAreToldApart(name: String, repeated: UInt64, backward: UInt64) {
    let outcome = receive(Self.stream { frame, _, packet in packet.timestamp = Self.timestamp(name, of: frame) })
    #expect(outcome.frames == 40 && outcome.mixed == 0 && outcome.incomplete == 0)
    #expect(outcome.malformed == 0 && outcome.foreign == 0 && outcome.restarts == 0)
    #expect(outcome.faults.repeated == repeated && outcome.faults.backward == backward)
    #expect(outcome.faults.changed == 0 && outcome.faults.continued == 0 && outcome.faults.unmarked == 0)
  }

  /// Frames of one packet.
  @Test(arguments: timestamps) func framesOfOnePacket(name: String, repeated: UInt64, backward: UInt64) {
    let packets = (0..<40).map { frame in
      Packet(sequence: UInt16(frame), timestamp: Self.timestamp(name, of: frame), marker: true)
    }
    let outcome = receive(packets, interval: 120)
    #expect(outcome.frames == 40 && outcome.incomplete == 0 && outcome.foreign == 0)
    #expect(outcome.faults.repeated == repeated && outcome.faults.backward == backward)
  }

  /// Any one packet that is lost costs its frame, and no other; parts of two frames never make one.
  @Test(arguments: timestamps, [1, 2, 3]) func aLossCostsItsFrame(
    timestamps: (name: String, repeated: UInt64, backward: UInt64), count: Int
  ) {
    for first in 3..<114 {
      var packets = Self.stream { frame, _, packet in packet.timestamp = Self.timestamp(timestamps.name, of: frame) }
      packets.removeSubrange(first..<first + count)
      let outcome = receive(packets)
      let damaged = UInt64((first + count - 1) / 3 - first / 3 + 1)
      // Two halves of frames with one timestamp, and all between them lost, count as one frame.
      let counted = outcome.frames + outcome.incomplete
      #expect(outcome.frames == 40 - damaged && outcome.mixed == 0, "\(timestamps.name) from \(first)")
      #expect(counted <= 40 && counted >= 39 && outcome.lost == UInt64(count), "\(timestamps.name) from \(first)")
    }
  }

  /// Two neighbours that change places cost nothing, over a frame's end, too.
  @Test(arguments: timestamps) func neighboursMayChangePlaces(name: String, repeated: UInt64, backward: UInt64) {
    for first in 6..<100 {
      var packets = Self.stream { frame, _, packet in packet.timestamp = Self.timestamp(name, of: frame) }
      packets.swapAt(first, first + 1)
      let outcome = receive(packets)
      #expect(outcome.frames == 40 && outcome.mixed == 0 && outcome.incomplete == 0, "\(name) at \(first)")
      #expect(outcome.lost == 0 && outcome.foreign == 0 && outcome.malformed == 0, "\(name) at \(first)")
    }
  }

  /// Each packet has a timestamp of its own, or the last one, or the frame's middle: the frame is incomplete, once.
  @Test(arguments: [[0, 1, 2], [0, 0, 1], [0, 1, 0], [0, 1, 1]]) func timestampsThatChangeWithinAFrame(shifts: [UInt32])
  {
    let outcome = receive(Self.stream { _, part, packet in packet.timestamp += shifts[part] })
    let changed = UInt64(shifts.count { $0 > 0 })
    #expect(outcome.frames == 0 && outcome.incomplete == 40)
    #expect(outcome.faults.changed == 40 * changed && outcome.malformed == outcome.faults.changed && outcome.lost == 0)
  }

  @Test(arguments: [false, true]) func framesWithoutMarkers(isStill: Bool) {
    let outcome = receive(
      Self.stream { _, _, packet in
        packet.marker = false
        if isStill { packet.timestamp = 7 }
      })
    #expect(outcome.frames == 0 && outcome.incomplete == 40 && outcome.malformed == 0)
    #expect(outcome.faults.unmarked == 39 && outcome.faults.repeated == (isStill ? 39 : 0))
  }

  /// What came with the first marker is taken for the frame, and is known not to be when the rest comes.
  @Test(arguments: [false, true]) func markersOnEveryPacket(isStill: Bool) {
    let outcome = receive(
      Self.stream { _, _, packet in
        packet.marker = true
        if isStill { packet.timestamp = 7 }
      })
    #expect(outcome.frames == 40 && outcome.faults.continued == 40 && outcome.malformed == 80)
    #expect(outcome.incomplete == 0 && outcome.lost == 0)
  }

  /// A sender whose timestamps stand still restarts a little before its last sequence number.
  @Test(arguments: [5, 50, 1000, 2900]) func aRestartWithTimestampsThatStandStill(packets: Int) {
    let old = Self.stream { _, _, packet in packet.timestamp = 7 }
    let new = old.map { packet in
      var packet = packet
      packet.sequence = packet.sequence &+ 120 &- UInt16(packets)
      return packet
    }
    let outcome = receive(
      old + new
        + new.map { packet in
          var packet = packet
          packet.sequence &+= 120
          return packet
        })
    // Those that are taken for late ones, until the third frame shows that they are none.
    #expect(outcome.frames >= 116 && outcome.mixed == 0)
  }

  /// More packets than sequence numbers.
  @Test func aFrameOfMorePacketsThanSequenceNumbers() {
    let count = 70_000
    let packets = (0..<2 * count).map { number in
      Packet(
        sequence: UInt16(truncatingIfNeeded: number), timestamp: UInt32(number / count * 3600),
        offset: 20 * (number % count), marker: number % count == count - 1, scan: 20)
    }
    let outcome = receive(packets, interval: 0)
    #expect(outcome.frames == 2 && outcome.incomplete == 0)
  }

  /// A frame's remaining packets, after it was given up for a newer one, count as no other frame.
  @Test func whatComesAfterAFrameWasGivenUp() {
    let packets = Self.stream { _, _, _ in }
    let outcome = receive([
      packets[0], packets[1], packets[2], packets[3], packets[6], packets[9], packets[4], packets[5],
    ])
    #expect(outcome.frames == 1 && outcome.incomplete == 3 && outcome.malformed == 0)
  }
}

/// Packets that are no part of a picture: why, and that they neither begin nor hold a stream.
@Suite struct PayloadFaultTests {
  typealias Packet = FrameBoundaryTests.Packet

  private static let sender = TransportAddress(host: SIMD2(0, 1), port: 4000)
  private static let stranger = TransportAddress(host: SIMD2(0, 2), port: 5004)

  private func fault(_ bytes: [UInt8]) -> PayloadFault? {
    bytes.withUnsafeBytes { bytes in
      guard let packet = RTPHeader.read(bytes) else { return .noRTP }
      do throws(PayloadFault) { _ = try Fragment(packet) } catch { return error }
      return nil
    }
  }

  @Test func eachHasItsName() {
    for q: UInt8 in 0...127 {
      #expect(fault(Packet(sequence: 1, q: q).bytes) == ((1...99).contains(q) ? nil : .reservedQ(q)))
    }
    for type: UInt8 in 0...255 {
      #expect(fault(Packet(sequence: 1, type: type).bytes) == ([0, 1, 64, 65].contains(type) ? nil : .type(type)))
    }
    #expect(fault([UInt8](Packet(sequence: 1, type: 65).bytes.prefix(22))) == .tooShort)
    #expect(fault([UInt8](Packet(sequence: 1).bytes.prefix(19))) == .tooShort)
    #expect(fault([UInt8](Packet(sequence: 1).bytes.prefix(20))) == .noScan)
    #expect(fault([1, 2, 3]) == .noRTP)
    func tables(_ precision: UInt8, _ length: UInt16, _ count: Int, q: UInt8 = 255) -> PayloadFault? {
      fault(Packet(sequence: 1, q: q, tables: (precision, length, [UInt8](repeating: 1, count: count)), scan: 9).bytes)
    }
    #expect(tables(0, 128, 128) == nil && tables(0, 64, 64) == nil && tables(0, 0, 0, q: 254) == nil)
    for precision: UInt8 in [1, 2, 3, 0x80] { #expect(tables(precision, 192, 192) == .tablePrecision(precision)) }
    #expect(tables(0, 63, 63) == .tableLength(63) && tables(0, 1000, 128) == .tableLength(1000))
    #expect(tables(0, 0, 0) == .noTables)
  }

  /// Packets in sequence, each of one kind, at four times the pace of the stream that begins among them.
  private static let kinds: [(name: String, make: @Sendable (UInt16) -> [UInt8])] = [
    ("no RTP", { _ in [1, 2, 3] }), ("reserved type", { Packet(sequence: $0, type: 2, ssrc: 2).bytes }),
    ("reserved Q", { Packet(sequence: $0, q: 100, ssrc: 2).bytes }),
    ("no scan", { Packet(sequence: $0, scan: 0, ssrc: 2).bytes }),
    (
      "16-bit tables",
      { Packet(sequence: $0, q: 255, tables: (3, 256, [UInt8](repeating: 1, count: 256)), ssrc: 2).bytes }
    ),
    ("no tables", { Packet(sequence: $0, q: 255, tables: (0, 0, []), ssrc: 2).bytes }),
    ("parts twice", { Packet(sequence: $0, offset: 100, ssrc: 2).bytes }),
    ("parts that contradict", { Packet(sequence: $0, offset: 300, type: UInt8($0 % 2), ssrc: 2).bytes }),
  ]

  /// A stranger that sends only such packets first, and goes on: not a frame of the stream that comes then is lost.
  @Test(arguments: kinds.map(\.name)) func theyNeverHoldAStream(name: String) throws {
    let make = try #require(Self.kinds.first { $0.name == name }).make
    var depacketizer = Depacketizer()
    var (now, frames, number) = (Int64(1_000_000_000), 0, UInt16(0))
    func disturb(_ count: Int) {
      for _ in 0..<count {
        make(number).withUnsafeBytes { _ = depacketizer.receive($0, from: Self.stranger, arrival: now) }
        number += 1
        now += 10_000_000
      }
    }
    disturb(50)
    for frame in 0..<40 {
      for part in 0..<3 {
        let packet = Packet(
          sequence: UInt16(9000 + 3 * frame + part), timestamp: UInt32(3600 * frame), offset: 100 * part,
          marker: part == 2)
        packet.bytes.withUnsafeBytes {
          if case .frame = depacketizer.receive($0, from: Self.sender, arrival: now) { frames += 1 }
        }
      }
      disturb(4)
    }
    #expect(frames == 40 && depacketizer.source?.address == Self.sender, "\(frames)")
  }

  /// Those of the stream itself are malformed, and not lost; the reason is known.
  @Test func theStreamsOwnAreNotLost() {
    var depacketizer = Depacketizer()
    var now: Int64 = 1_000_000_000
    for number: UInt16 in 0..<40 {
      var packet = Packet(
        sequence: number, timestamp: UInt32(number / 2), offset: number % 2 == 0 ? 0 : 100, marker: number % 2 == 1,
        q: 255)
      if packet.offset == 0 { packet.tables = (3, 256, [UInt8](repeating: 1, count: 256)) }
      packet.bytes.withUnsafeBytes { _ = depacketizer.receive($0, from: Self.sender, arrival: now) }
      now += 20_000_000
    }
    depacketizer.finish()
    #expect(depacketizer.malformed == 20 && depacketizer.frames == 0 && depacketizer.statistics.lost == 0)
    #expect(depacketizer.incomplete >= 19 && depacketizer.incomplete <= 20)
    #expect(depacketizer.payloadFaults.ofOthers == .tablePrecision(3))
  }
}
