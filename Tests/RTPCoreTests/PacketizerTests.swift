import Testing

@testable import RTPCore

@Suite struct PacketizerTests {
  static func packets(
    _ jpeg: [UInt8], size: Int, sequence: UInt16 = 0, timestamp: UInt32 = 99, extends: Bool = false
  ) throws -> [[UInt8]] {
    var packetizer = Packetizer(
      packetSize: size, largestFrame: jpeg.count, payloadType: 96, ssrc: 0xCAFE, onvifExtension: extends,
      sequence: sequence)
    return try jpeg.withUnsafeBytes { jpeg in
      let plan = try packetizer.plan(read(jpeg), timestamp: timestamp)
      let packets = (0..<plan.count).map { Array(plan[$0].header) + Array(plan[$0].payload) }
      #expect(plan.byteCount == packets.reduce(0) { $0 + $1.count })
      return packets
    }
  }

  /// RFC 2435 by the letter, over many packet sizes: sizes, offsets, marker, tables, the scan whole.
  @Test(arguments: [200, 201, 999, 1200, 1400, 1472, 65_507])
  func packetsAreByTheRFC(size: Int) throws {
    let jpeg = try Samples.jpeg(width: 320, height: 200)
    let header = try header(jpeg).get()
    let packets = try Self.packets(jpeg, size: size, sequence: 65_530)
    var scan: [UInt8] = []
    for (index, packet) in packets.enumerated() {
      let isLast = index == packets.count - 1
      #expect(isLast ? packet.count <= size : packet.count == size)
      #expect(packet.count > RTPHeader.size + JPEGPayloadHeader.size)
      try packet.withUnsafeBytes { bytes in
        let packet = try #require(RTPHeader.read(bytes))
        #expect(
          packet.header
            == RTPHeader(
              marker: isLast, payloadType: 96, sequence: 65_530 &+ UInt16(index), timestamp: 99, ssrc: 0xCAFE))
        var reader = ByteReader(packet.payload)
        #expect(
          JPEGPayloadHeader(&reader)
            == JPEGPayloadHeader(offset: UInt32(scan.count), type: 1, q: 255, width: 40, height: 25))
        if index == 0 {
          #expect(reader.doubleWord() == 128)
          #expect(reader.table() == header.tables.luma)
          #expect(reader.table() == header.tables.chroma)
        }
        scan += reader.rest
      }
    }
    #expect(scan == Samples.scan(jpeg))
  }

  /// The scan's ranges are in the camera's own bytes.
  @Test func nothingIsCopied() throws {
    let jpeg = try Samples.jpeg()
    var packetizer = Packetizer(packetSize: 500, largestFrame: jpeg.count, payloadType: 26, ssrc: 1)
    try jpeg.withUnsafeBytes { jpeg in
      let plan = try packetizer.plan(read(jpeg), timestamp: 0)
      let base = try #require(jpeg.baseAddress)
      for index in 0..<plan.count {
        let start = try #require(plan[index].payload.baseAddress)
        #expect(start >= base && start + plan[index].payload.count <= base + jpeg.count)
      }
    }
  }

  @Test func sequenceGoesOnOverFrames() throws {
    let jpeg = try Samples.jpeg(width: 64, height: 64)
    var packetizer = Packetizer(packetSize: 300, largestFrame: jpeg.count, payloadType: 26, ssrc: 1, sequence: 65_535)
    var numbers: [UInt16] = []
    for _ in 0..<3 {
      try jpeg.withUnsafeBytes { jpeg in
        let plan = try packetizer.plan(read(jpeg), timestamp: 0)
        for index in 0..<plan.count { numbers.append(try #require(RTPHeader.read(plan[index].header)).header.sequence) }
      }
    }
    #expect(numbers == numbers.indices.map { 65_535 &+ UInt16($0) })
  }

  /// A frame is refused before a header is written that can't be right.
  @Test func refusesWhatIsTooLarge() throws {
    let jpeg = try Samples.jpeg()
    var small = Packetizer(packetSize: 200, largestFrame: 1000, payloadType: 26, ssrc: 1)
    #expect(throws: JPEGFault.tooLarge) {
      try jpeg.withUnsafeBytes { jpeg in _ = try small.plan(read(jpeg), timestamp: 0) }
    }
    let start = try header(jpeg).get().scanOffset
    let huge = jpeg.prefix(start) + [UInt8](repeating: 1, count: 1 << 24) + [0xFF, 0xD9]
    var packetizer = Packetizer(packetSize: 65_507, largestFrame: huge.count, payloadType: 26, ssrc: 1)
    #expect(throws: JPEGFault.tooLarge) {
      try Array(huge).withUnsafeBytes { jpeg in _ = try packetizer.plan(read(jpeg), timestamp: 0) }
    }
    let largest = Array(jpeg.prefix(start) + [UInt8](repeating: 1, count: (1 << 24) - 3) + [0xFF, 0xD9])
    let count = try largest.withUnsafeBytes { jpeg in try packetizer.plan(read(jpeg), timestamp: 0).count }
    #expect(count == 257)
  }

  /// Types 64 and 65 with the restart header in every packet, and ONVIF's extension in a frame's first: the sizes stay.
  @Test(arguments: [false, true], [UInt8(0), 10]) func moreHeaders(extends: Bool, interval: UInt8) throws {
    let jpeg = Samples.edit(try Samples.jpeg()) { segments, _ in
      if interval > 0 { segments.append((0xDD, [0, interval])) }
    }
    var packetizer = Packetizer(
      packetSize: 300, largestFrame: jpeg.count, payloadType: 26, ssrc: 1, onvifExtension: extends)
    try jpeg.withUnsafeBytes { jpeg in
      let plan = try packetizer.plan(read(jpeg), timestamp: 0)
      let packets = (0..<plan.count).map { Array(plan[$0].header) + Array(plan[$0].payload) }
      #expect(packets.count > 3 && Set(packets.dropLast().map(\.count)) == [300])
      for (index, packet) in packets.enumerated() {
        try packet.withUnsafeBytes { bytes in
          let packet = try #require(RTPHeader.read(bytes))
          #expect(packet.header.hasExtension == (extends && index == 0))
          let fragment = try Fragment(packet)
          #expect(fragment.header.type == (interval > 0 ? 65 : 1))
          #expect(fragment.restart == (interval > 0 ? RestartHeader(interval: 10, count: 0xFFFF) : nil))
        }
      }
    }
  }

  /// The extension's bytes are a SOF0 of the picture.
  @Test func theExtensionIsASegment() throws {
    let header = try header(Samples.jpeg(width: 4000, height: 3000)).get()
    var bytes = [UInt8](repeating: 0xAA, count: OnvifExtension.size)
    bytes.withUnsafeMutableBytes { buffer in buffer.baseAddress.map { OnvifExtension(header).write(to: $0) } }
    let size: [UInt8] = [3000 >> 8, 3000 & 0xFF, 4000 >> 8, 4000 & 0xFF].map { UInt8($0) }
    let expected: [UInt8] =
      [0xFF, 0xD8, 0, 5, 0xFF, 0xC0, 0, 17, 8] + size + [3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xFF]
    #expect(bytes == expected)
    bytes.withUnsafeBytes { bytes in
      let fields = OnvifExtension.read(ByteReader(bytes, at: 4))
      #expect(fields.frame == Array(expected[8..<23]) && fields.huffman.isEmpty)
    }
  }
}

@Suite struct MediaClockTests {
  @Test func countsTicks() {
    let clock = MediaClock(offset: 0)
    #expect(clock.timestamp(at: 1_000_000_000) == 90_000)
    #expect(clock.timestamp(at: 33_333_333) == 2999)
    #expect(clock.timestamp(at: 11_111) == 0)
    #expect(clock.timestamp(at: 11_112) == 1)
    #expect(MediaClock(offset: 5).timestamp(at: 1_000_000_000) == 90_005)
    // 2^32 ticks are 13 hours; after 60 years of uptime it still counts, and whatever a driver says, it does not trap.
    #expect(clock.timestamp(at: 47_721_858_844_445) == 0)
    let years: Int64 = 60 * 365 * 86_400 * 1_000_000_000
    #expect(clock.timestamp(at: years + 1_000_000_000) &- clock.timestamp(at: years) == 90_000)
    #expect(clock.timestamp(at: .max) &- clock.timestamp(at: .max - 1_000_000_000) == 90_000)
  }

  @Test func framesDiffer() {
    var clock = MediaClock(offset: 0)
    let stamps = [0, 0, 5_000, 1_000_000].map { clock.frameTimestamp(at: $0) }
    #expect(stamps == [0, 1, 2, 90])
    // A pause of seven hours is more than 2^31 ticks, and no step back.
    let hours: Int64 = 7 * 3600 * 1_000_000_000
    #expect(clock.frameTimestamp(at: hours) == 2_268_000_000)
    #expect(clock.frameTimestamp(at: hours - 1) == 2_268_000_001)
    #expect(clock.frameTimestamp(at: .min) == 2_268_000_002)
  }
}
