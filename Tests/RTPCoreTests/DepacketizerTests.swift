import JPEGCodec
import Testing

@testable import RTPCore

@Suite struct DepacketizerTests {
  /// The JPEGs that come out of some packets, and the depacketizer's counts.
  private struct Outcome {
    var frames: [[UInt8]] = []
    var incomplete: UInt64 = 0
    var statistics = ReceptionStatistics()
  }

  private func receive(_ packets: [[UInt8]]) -> Outcome {
    var depacketizer = Depacketizer()
    var outcome = Outcome()
    for (index, packet) in packets.enumerated() {
      packet.withUnsafeBytes { bytes in
        if case .frame(let jpeg, _, _, _) = depacketizer.receive(bytes, arrival: Int64(index) * 1000) {
          outcome.frames.append(Array(jpeg))
        }
      }
    }
    depacketizer.finish()
    outcome.incomplete = depacketizer.incomplete
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
