import JPEGCodec
import Testing

@testable import RTPCore

@Suite struct DepacketizerTests {
  /// The JPEGs that come out of some packets, and the depacketizer's counts.
  private struct Outcome {
    var frames: [[UInt8]] = []
    var incomplete: UInt64 = 0
    var malformed: UInt64 = 0
    var foreign: UInt64 = 0
    var statistics = ReceptionStatistics()
  }

  private func receive(_ packets: [[UInt8]], finish: Bool = true) -> Outcome {
    var depacketizer = Depacketizer()
    var outcome = Outcome()
    for (index, packet) in packets.enumerated() {
      packet.withUnsafeBytes { bytes in
        if case .frame(let jpeg, _, _, _) = depacketizer.receive(bytes, arrival: Int64(index) * 1000) {
          outcome.frames.append(Array(jpeg))
        }
      }
    }
    if finish { depacketizer.finish() }
    outcome.incomplete = depacketizer.incomplete
    outcome.malformed = depacketizer.malformed
    outcome.foreign = depacketizer.foreign
    outcome.statistics = depacketizer.statistics
    return outcome
  }

  private func decode(_ jpeg: [UInt8]) throws -> [UInt8] {
    var decoder = try JPEGDecoder()
    return try jpeg.withUnsafeBytes { Array(try decoder.decode($0).pixels) }
  }

  @Test(arguments: [200, 1400, 65_507]) func roundTripIsTheIdentity(size: Int) throws {
    let jpeg = try Samples.jpeg(width: 320, height: 200)
    let outcome = receive(try PacketizerTests.packets(jpeg, size: size, sequence: 65_000))
    let received = try #require(outcome.frames.first)
    #expect(outcome.frames.count == 1 && outcome.incomplete == 0 && outcome.statistics.lost == 0)
    #expect(Samples.scan(received) == Samples.scan(jpeg))
    #expect(try header(received).get().tables == header(jpeg).get().tables)
    #expect(try decode(received) == decode(jpeg))
  }

  /// Packets of a frame may come in any order, and twice.
  @Test func orderAndDuplicatesDoNotMatter() throws {
    let jpeg = try Samples.jpeg()
    let packets = try PacketizerTests.packets(jpeg, size: 400)
    let outcome = receive(packets.reversed() + packets)
    #expect(outcome.frames.count == 1 && Samples.scan(outcome.frames[0]) == Samples.scan(jpeg))
    #expect(outcome.statistics.duplicates == UInt64(packets.count))
    #expect(outcome.statistics.reordered == UInt64(packets.count - 1))
    #expect(outcome.statistics.lost == 0)
  }

  /// Without any one of its packets a frame is incomplete, and the next one is whole.
  @Test func everyLossIsSeen() throws {
    let jpeg = try Samples.jpeg(width: 96, height: 96)
    let first = try PacketizerTests.packets(jpeg, size: 400, sequence: 10, timestamp: 1)
    let next = try PacketizerTests.packets(jpeg, size: 400, sequence: 10 + UInt16(first.count), timestamp: 3001)
    for missing in first.indices {
      var packets = first
      packets.remove(at: missing)
      let outcome = receive(packets + next)
      #expect(outcome.frames.count == 1, "without packet \(missing)")
      #expect(outcome.incomplete == 1)
      // The number before the first one that came can't be known.
      #expect(outcome.statistics.lost == (missing == 0 ? 0 : 1))
    }
  }

  @Test func anEOIIsAddedWhereNoneCame() throws {
    let jpeg = try Samples.jpeg(width: 64, height: 64)
    var packets = try PacketizerTests.packets(jpeg, size: 400)
    packets[packets.count - 1].removeLast(2)
    let outcome = receive(packets)
    #expect(try decode(#require(outcome.frames.first)) == decode(jpeg))
  }

  @Test func readsTablesOfQAndRestartHeaders() throws {
    let scan: [UInt8] = [1, 2, 3, 0xFF, 0xD9]
    func packet(_ type: UInt8, _ q: UInt8, _ extra: [UInt8]) -> [UInt8] {
      let rtp: [UInt8] = [0x80, 0x80 | 26, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]
      return rtp + [0, 0, 0, 0, type, q, 2, 3] + extra + scan
    }
    let byQ = try #require(receive([packet(0, 50, [])]).frames.first)
    let read = try header(byQ).get()
    #expect(read.tables == QuantizationTables(q: 50) && read.sampling == .yuv422)
    #expect([read.width, read.height] == [16, 24])
    let restart = try #require(receive([packet(65, 50, [0, 7, 0xFF, 0xFF])]).frames.first)
    #expect(try header(restart).get().restartInterval == 7)
    // A table alone serves for both.
    let one = [UInt8](repeating: 9, count: 64)
    let single = try #require(receive([packet(1, 255, [0, 0, 0, 64] + one)]).frames.first)
    #expect(try header(single).get().tables.chroma == SIMD64(repeating: 9))
  }

  /// RFC 2435, 4.2: with Q from 128 to 254 the tables may come once; with 255 they never may be left out.
  @Test func remembersTheTablesOfAQ() throws {
    let table = [UInt8](repeating: 9, count: 128)
    func packet(_ q: UInt8, _ frame: UInt8, _ tables: [UInt8]) -> [UInt8] {
      let rtp: [UInt8] = [0x80, 0x80 | 26, 0, frame, 0, 0, frame, 0, 0, 0, 0, 1]
      return rtp + [0, 0, 0, 0, 1, q, 2, 2, 0, 0, 0, UInt8(tables.count)] + tables + [1, 2, 0xFF, 0xD9]
    }
    let known = receive([packet(200, 1, table), packet(200, 2, []), packet(201, 3, [])])
    #expect(known.frames.count == 2 && known.incomplete == 1)
    #expect(try header(known.frames[1]).get().tables.luma == SIMD64(repeating: 9))
    let never = receive([packet(255, 1, table), packet(255, 2, [])])
    #expect(never.frames.count == 1 && never.incomplete == 1)
  }

  /// A size over 2040 is taken from the SDP, or from ONVIF's extension.
  @Test func largePicturesHaveTheirSize() throws {
    let jpeg = try Samples.jpeg(width: 2304, height: 64)
    let plain = try PacketizerTests.packets(jpeg, size: 1400)
    #expect(receive(plain).incomplete == 1)
    var told = Depacketizer(dimensions: (2304, 64))
    var size = (0, 0)
    for packet in plain {
      packet.withUnsafeBytes {
        if case .frame(_, let width, let height, _) = told.receive($0, arrival: 0) { size = (width, height) }
      }
    }
    #expect(size == (2304, 64))
    let extended = try PacketizerTests.packets(jpeg, size: 1400, extends: true)
    let received = try #require(receive(extended).frames.first)
    #expect(try header(received).get().width == 2304 && decode(received) == decode(jpeg))
  }

  /// Over a frame's end packets may come out of order; a packet later than a whole newer frame is too late.
  @Test func framesMayOverlap() throws {
    let jpeg = try Samples.jpeg(width: 96, height: 96)
    let first = try PacketizerTests.packets(jpeg, size: 400, sequence: 10, timestamp: 1)
    let second = try PacketizerTests.packets(jpeg, size: 400, sequence: 10 + UInt16(first.count), timestamp: 3001)
    let all = first + second
    for distance in 1..<first.count {
      var packets = all
      packets.swapAt(first.count - 1, first.count - 1 + distance)
      #expect(receive(packets).frames.count == 2, "distance \(distance)")
    }
    let late = receive(first.dropLast() + second + [first[first.count - 1]])
    #expect(late.frames.count == 1 && late.incomplete == 1)
    // The newer one's packets came first.
    let turned = receive([second[0]] + first + second.dropFirst())
    #expect(turned.frames.count == 2 && turned.incomplete == 0)
  }

  /// Bytes that come twice, none, or behind the end make no frame whole.
  @Test func onlyWholeFramesAreWhole() {
    func packet(_ sequence: UInt8, _ offset: UInt8, _ scan: [UInt8], last: Bool = false) -> [UInt8] {
      let rtp: [UInt8] = [0x80, last ? 0x80 | 26 : 26, 0, sequence, 0, 0, 0, 1, 0, 0, 0, 1]
      return rtp + [0, 0, 0, offset, 1, 50, 2, 2] + scan
    }
    let part = [UInt8](repeating: 7, count: 100)
    #expect(receive([packet(1, 0, part), packet(2, 100, part, last: true)]).frames.count == 1)
    for bad in [
      [packet(1, 0, part), packet(2, 0, part), packet(3, 200, [], last: true)], [packet(1, 0, [], last: true)],
      [packet(1, 0, part), packet(2, 50, part, last: true)], [packet(1, 100, part, last: true)],
      [packet(1, 0, part), packet(2, 200, part), packet(3, 100, part, last: true)],
    ] { #expect(receive(bad).frames.isEmpty) }
  }

  /// A sender that begins anew with the same SSRC is followed after a silence, whatever its numbers are.
  @Test func aSenderMayBeginAnew() throws {
    let jpeg = try Samples.jpeg(width: 64, height: 64)
    var depacketizer = Depacketizer()
    var frames = 0
    for (sequence, timestamp, start) in [(UInt16(5000), UInt32(1_000_000), Int64(0)), (9, 17, 3_000_000_000)] {
      for packet in try PacketizerTests.packets(jpeg, size: 400, sequence: sequence, timestamp: timestamp) {
        packet.withUnsafeBytes { if case .frame = depacketizer.receive($0, arrival: start) { frames += 1 } }
      }
    }
    #expect(frames == 2 && depacketizer.statistics.lost == 0)
  }

  @Test func restartIntervalsComeThrough() throws {
    let jpeg = Samples.edit(try Samples.jpeg()) { segments, _ in segments.append((0xDD, [1, 2])) }
    let received = try #require(receive(try PacketizerTests.packets(jpeg, size: 300)).frames.first)
    #expect(try header(received).get().restartInterval == 0x0102 && Samples.scan(received) == Samples.scan(jpeg))
  }

  @Test func refusesWhatIsNoJPEGPayload() throws {
    let rtp: [UInt8] = [0x80, 0x80 | 26, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]
    let bad: [[UInt8]] = [
      [], [1, 2, 3], rtp, rtp + [0, 0, 0, 0, 1, 255, 1],
      rtp + [0, 0, 0, 0, 2, 255, 1, 1, 0, 0, 0, 0], rtp + [0, 0, 0, 0, 1, 255, 1, 1, 0, 0, 0, 128, 1],
      rtp + [0, 0, 0, 0, 1, 255, 1, 1, 0, 3, 1, 0] + [UInt8](repeating: 0, count: 256),
      rtp + [0, 0, 0, 0, 65, 50, 1, 1, 0],
    ]
    for packet in bad {
      let outcome = receive([packet])
      #expect(outcome.frames.isEmpty && outcome.malformed == 1)
    }
  }

  /// Another sender's packets do not spoil the stream; when the first falls silent, it is followed.
  @Test func followsOneSource() throws {
    let jpeg = try Samples.jpeg(width: 64, height: 64)
    let ours = try PacketizerTests.packets(jpeg, size: 400)
    let other = ours.map { Array($0[..<8]) + [9, 9, 9, 9] + Array($0[12...]) }
    let mixed = zip(ours, other).flatMap { [$0, $1] }
    let outcome = receive(mixed)
    #expect(outcome.frames.count == 1 && outcome.foreign == UInt64(other.count) && outcome.statistics.lost == 0)
    var depacketizer = Depacketizer()
    var frames = 0
    for (packets, start) in [(ours, Int64(0)), (other, 2_000_000_000)] {
      for packet in packets {
        packet.withUnsafeBytes { if case .frame = depacketizer.receive($0, arrival: start) { frames += 1 } }
      }
    }
    #expect(frames == 2)
  }

  /// Hostile packets: lengths and offsets that go anywhere.
  @Test func survivesNoise() throws {
    let jpeg = try Samples.jpeg(width: 64, height: 64)
    let packets = try PacketizerTests.packets(jpeg, size: 400)
    var depacketizer = Depacketizer()
    for round in 0..<20_000 {
      var packet = packets[round % packets.count]
      for _ in 0..<Int.random(in: 0...4) { packet[Int.random(in: 0..<min(32, packet.count))] = .random(in: 0...255) }
      packet.removeLast(Int.random(in: 0...packet.count))
      packet.withUnsafeBytes { _ = depacketizer.receive($0, arrival: Int64(round) * 2_000_000_000) }
    }
  }
}

@Suite struct ReceptionStatisticsTests {
  private func packet(_ sequence: UInt16, _ timestamp: UInt32 = 0) -> RTPHeader {
    RTPHeader(marker: false, payloadType: 26, sequence: sequence, timestamp: timestamp, ssrc: 1)
  }

  @Test func countsLossOverTheWrap() {
    var statistics = ReceptionStatistics()
    for sequence: UInt16 in [65_533, 65_534, 1, 2, 0] {
      _ = statistics.record(packet(sequence), size: 10, arrival: 0)
    }
    #expect(statistics.lost == 1 && statistics.reordered == 1 && statistics.packets == 5 && statistics.bytes == 50)
  }

  @Test func countsDuplicates() {
    var statistics = ReceptionStatistics()
    for sequence: UInt16 in [7, 8, 7, 9, 9] { _ = statistics.record(packet(sequence), size: 1, arrival: 0) }
    #expect(statistics.duplicates == 2 && statistics.lost == 0)
  }

  /// RFC 3550, A.8: with a constant change of the transit time the estimate goes towards it.
  @Test func jitterIsTheRFCs() {
    var even = ReceptionStatistics()
    var uneven = ReceptionStatistics()
    for index in 0..<400 {
      let header = packet(UInt16(index), UInt32(index) * 900)
      _ = even.record(header, size: 1, arrival: Int64(index) * 10_000_000)
      _ = uneven.record(header, size: 1, arrival: Int64(index) * 10_000_000 + (index % 2 == 0 ? 0 : 1_000_000))
    }
    #expect(even.jitterMicroseconds == 0)
    #expect(abs(uneven.jitterMicroseconds - 1000) < 20)
  }
}
