import LinuxIO
import Testing

@testable import RTPCore

/// The vectors of Tests/vectors, whose script says what they are: each must become what stands in the list of its folder.
@Suite struct VectorTests {
  @Test(arguments: try Vector.all(of: "jpeg")) func frames(vector: Vector) throws {
    let bytes = try vector.bytes()
    bytes.withUnsafeBytes { bytes in
      let strict = reading(of: bytes, repairs: false)
      let repaired = reading(of: bytes, repairs: true)
      #expect((strict == repaired ? strict : "\(strict); \(repaired)") == vector.outcome)
    }
  }

  @Test(arguments: try Vector.all(of: "packets")) func packets(vector: Vector) throws {
    var depacketizer = Depacketizer()
    var outcome: [String] = []
    var now: Int64 = 0
    for packet in try vector.packets() {
      packet.withUnsafeBytes { packet in
        if case .frame(let jpeg, let width, let height, _) = depacketizer.receive(packet, arrival: now) {
          let reading = reading(of: jpeg, repairs: false, isExact: true)
          let size = "\(width)x\(height)"
          outcome.append("frame " + (reading.hasPrefix(size) ? reading : "\(size), \(reading)"))
        }
      }
      if packet.count == 1 { depacketizer.endSource() }
      now += packet.isEmpty ? 2_000_000_000 : 1_000_000
    }
    depacketizer.finish()
    #expect(depacketizer.frames == outcome.count)
    let statistics = depacketizer.statistics
    let counts = [
      ("incomplete", depacketizer.incomplete), ("unsized", depacketizer.unsized),
      ("malformed", depacketizer.malformed), ("foreign", depacketizer.foreign), ("lost", statistics.lost),
      ("reordered", statistics.reordered), ("duplicates", statistics.duplicates),
    ]
    outcome += counts.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
    #expect(outcome.joined(separator: "; ") == vector.outcome)
  }

  @Test(arguments: try Vector.all(of: "rtcp")) func rtcp(vector: Vector) throws {
    let outcome = try vector.packets().map { datagram in
      datagram.withUnsafeBytes { datagram in
        guard var reader = RTCPReader(datagram) else { return "no RTCP" }
        var packets: [String] = []
        while let packet = reader.next() { packets.append(text(of: packet)) }
        return packets.joined(separator: " + ")
      }
    }
    #expect(outcome.joined(separator: "; ") == vector.outcome)
  }

  /// What is sent of a frame, byte for byte.
  @Test(arguments: [
    ("baseline-420", 200, false), ("baseline-420", 1400, true), ("restart-markers-422", 200, true),
    ("65535-pixels", 65_507, false), ("65535-pixels", 300, true),
  ])
  func sent(name: String, size: Int, extends: Bool) throws {
    let jpeg = try Vector(folder: "jpeg", name: "\(name).jpg").bytes()
    let packets = try PacketizerTests.packets(jpeg, size: size, sequence: 65_534, extends: extends)
    let expected = try Vector(folder: "packets", name: "sent-\(name)-\(size)\(extends ? "-onvif" : "").bin").packets()
    #expect(packets == expected)
  }

  /// A frame as the lists have it.
  private func reading(of bytes: UnsafeRawBufferPointer, repairs: Bool, isExact: Bool = false) -> String {
    do throws(JPEGFault) {
      let picture = try read(bytes, repairs: repairs, isExact: isExact)
      let header = picture.header
      let tables = [header.tables.luma, header.tables.chroma].flatMap { table in table.indices.map { table[$0] } }
      return """
        \(picture.isRepaired ? "repaired " : "")\(header.width)x\(header.height), type \(header.sampling.rawValue), restart \(header.restartInterval), \
        tables \(adler32(tables)), scan \(picture.scan.count) \(adler32(picture.scan))
        """
    } catch .unsupported(let what) {
      return "unsupported \(what)"
    } catch {
      return "\(error)"
    }
  }

  /// An RTCP packet as the list has it.
  private func text(of packet: RTCPReader.Packet) -> String {
    func text(_ blocks: RTCPReader.Blocks) -> String {
      blocks.map { block in
        let (ssrc, highest, delay) = (block.ssrc, block.highestSequence, block.delay)
        return " [\(ssrc) \(block.fractionLost) \(block.lost) \(highest) \(block.jitter) \(block.lastReport) \(delay)]"
      }.joined()
    }
    switch packet {
    case .senderReport(let ssrc, let info, let blocks):
      return "SR \(ssrc) \(info.ntp.value) \(info.timestamp) \(info.packets) \(info.octets)\(text(blocks))"
    case .receiverReport(let ssrc, let blocks): return "RR \(ssrc)\(text(blocks))"
    case .sourceDescription(let chunks):
      let names = chunks.map { " \($0.ssrc)=\($0.name.map { String(decoding: $0, as: UTF8.self) } ?? "-")" }
      return "SDES" + names.joined()
    case .goodbye(let sources): return "BYE" + sources.map { " \($0)" }.joined()
    case .other: return "other"
    case .malformed: return "malformed"
    }
  }

  /// A checksum (RFC 1950, 8.2) in eight figures.
  private func adler32(_ bytes: some Sequence<UInt8>) -> String {
    var sums = (low: UInt32(1), high: UInt32(0))
    for byte in bytes {
      sums.low = (sums.low + UInt32(byte)) % 65_521
      sums.high = (sums.high + sums.low) % 65_521
    }
    let figures = String(sums.high << 16 | sums.low, radix: 16)
    return String(repeating: "0", count: 8 - figures.count) + figures
  }
}

/// A file of Tests/vectors.
struct Vector: Sendable, CustomTestStringConvertible {
  let folder: String
  let name: String
  /// What must become of it.
  var outcome = ""

  var testDescription: String { name }

  private static func path(_ name: String) -> String {
    let here = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    return "/\(here)/vectors/\(name)"
  }

  func bytes() throws -> [UInt8] { try File.read(Self.path("\(folder)/\(name)")) }

  /// Its packets, each of which stands behind its length.
  func packets() throws -> [[UInt8]] {
    var rest = try bytes()[...]
    var packets: [[UInt8]] = []
    while let high = rest.popFirst(), let low = rest.popFirst() {
      packets.append(Array(rest.prefix(Int(high) << 8 | Int(low))))
      rest = rest.dropFirst(Int(high) << 8 | Int(low))
    }
    return packets
  }

  /// A folder's vectors, all of which are in its list.
  static func all(of folder: String) throws -> [Vector] {
    let list = String(decoding: try File.read(path("\(folder).txt")), as: UTF8.self)
    let vectors = try list.split(separator: "\n").map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      try #require(parts.count == 2, "\(folder).txt: \(line)")
      return Vector(folder: folder, name: String(parts[0]), outcome: String(parts[1].drop { $0 == " " }))
    }
    let unpaired = Set(try File.names(in: path(folder))).symmetricDifference(vectors.map(\.name)).sorted()
    try #require(unpaired.first == nil, "\(folder).txt has a line for each file")
    return vectors
  }
}
