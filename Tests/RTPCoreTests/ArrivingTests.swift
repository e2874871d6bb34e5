import Testing

@testable import RTPCore

/// Frames that are planned while they arrive.
@Suite struct ArrivingTests {
  /// Packets of a frame that comes in pieces, each copied as soon as it is planned; nil: it can't be sent.
  private func arrive(
    _ jpeg: [UInt8], pieces: [Int], size: Int, reader: inout JPEGReader, extends: Bool = false
  ) throws -> [[UInt8]]? {
    var packetizer = Packetizer(
      packetSize: size, largestFrame: jpeg.count, payloadType: 96, ssrc: 0xCAFE, onvifExtension: extends,
      sequence: 65_530)
    var packets: [[UInt8]] = []
    func take(_ plan: PacketPlan) {
      for index in packets.count..<plan.count { packets.append(Array(plan[index].header) + Array(plan[index].payload)) }
    }
    return try jpeg.withUnsafeBytes { jpeg in
      var arriving: ArrivingPicture?
      for piece in pieces where piece <= jpeg.count {
        let there = UnsafeRawBufferPointer(rebasing: jpeg[..<piece])
        if arriving == nil {
          arriving = try reader.begin(there)
          if let arriving { packetizer.begin(arriving.header, timestamp: 99) }
        }
        guard let scan = arriving?.advance(there) else { continue }
        take(try packetizer.extend(scan, isWhole: false))
      }
      guard let arriving else { return nil }
      take(try packetizer.extend(reader.finish(arriving, in: jpeg).scan, isWhole: true))
      return packets
    }
  }

  /// However it comes, and whatever stands behind it: the packets are those of the whole frame.
  @Test(arguments: [200, 201, 999, 1400, 65_507], [false, true])
  func packetsAreThoseOfTheWholeFrame(size: Int, extends: Bool) throws {
    let jpeg = try Samples.jpeg(width: 320, height: 200)
    var random = SystemRandomNumberGenerator()
    for junk in [[], [UInt8](repeating: 0, count: 2000), Array(jpeg.suffix(3000))] {
      let frame = jpeg + junk
      let whole = try PacketizerTests.packets(frame, size: size, sequence: 65_530, extends: extends)
      var reader = JPEGReader()
      for step in [1, 8, 100, 1000, 5000, 100_000] {
        var pieces = [0]
        while pieces[pieces.count - 1] < frame.count {
          pieces.append(min(frame.count, pieces[pieces.count - 1] + Int.random(in: 1...(2 * step), using: &random)))
        }
        let packets = try arrive(frame, pieces: pieces, size: size, reader: &reader, extends: extends)
        #expect(packets == nil || packets == whole, "steps of \(step)")
        #expect(packets != nil || step == 100_000)
      }
    }
  }

  /// Nothing of what is behind the end leaves, nor anything before the header is known to be one that can be sent.
  @Test func nothingLeavesTooEarly() throws {
    let jpeg = try Samples.jpeg(width: 320, height: 200)
    let scan = Samples.scan(jpeg).count
    var reader = JPEGReader()
    try (jpeg + jpeg.suffix(3000)).withUnsafeBytes { bytes in
      let start = jpeg.count - scan
      for count in 0..<start {
        let begun = try reader.begin(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        #expect(begun == nil)
      }
      let begun = try reader.begin(UnsafeRawBufferPointer(rebasing: bytes[..<(start + 10)]))
      var arriving = try #require(begun)
      let all = arriving.advance(bytes)
      #expect(all.count == scan)
      let again = arriving.advance(bytes)
      #expect(again.count == scan)
    }
    // Its Huffman tables are not the standard's.
    var (segments, rest) = Samples.split(jpeg)
    let table = try #require(segments.firstIndex { $0.marker == 0xC4 })
    segments[table].body[20] ^= 1
    let other = Samples.join(segments, rest)
    let fault: JPEGFault? = other.withUnsafeBytes { bytes in
      do throws(JPEGFault) { _ = try reader.begin(bytes) } catch { return error }
      return nil
    }
    #expect(fault == .unsupported(.huffman))
  }

  /// A damaged byte in a scan of restart intervals ends none, however it comes.
  @Test func aDamagedPairOfBytesIsNoEnd() throws {
    let picture = try Samples.jpeg(width: 320, height: 200)
    var jpeg = Samples.edit(picture) { segments, _ in segments.append((0xDD, [0, 4])) }
    (jpeg[3000], jpeg[3001]) = (0xFF, 0x42)
    let whole = try PacketizerTests.packets(jpeg, size: 500, sequence: 65_530)
    var reader = JPEGReader()
    for step in [1, 8, 1000] {
      let pieces = Array(stride(from: 0, through: jpeg.count, by: step))
      #expect(try arrive(jpeg, pieces: pieces, size: 500, reader: &reader) == whole)
    }
  }

  /// One that is cut short is found out at its end, at the latest.
  @Test func cutFramesEndWithoutTheirLastPacket() throws {
    let jpeg = try Samples.jpeg(width: 320, height: 200)
    for bad in [
      Array(jpeg.dropLast(2)), Array(jpeg.prefix(3000)), Array(jpeg.prefix(2000)) + jpeg,
      Array(jpeg.prefix(700)) + [0xFF, 0xD9],
    ] {
      var reader = JPEGReader()
      let frame = bad
      #expect(throws: JPEGFault.noEOI) {
        _ = try arrive(frame, pieces: Array(stride(from: 0, through: frame.count, by: 8)), size: 500, reader: &reader)
      }
    }
  }
}
