import JPEGCodec
import Testing

@testable import RTPCore

/// What a packetizer sends, a depacketizer puts together to the same: size, sampling, tables, restart interval, scan.
@Suite struct RoundTripTests {
  static let packetSizes = [200, 201, 576, 1400, 9000, 65_000, 65_507]

  /// Every size of packets meets every form of a header, in one stream that goes over both wraps. RFC 2435's header says
  /// a picture's size in blocks of 8 pixels: 17x33 comes back as 24x40, unless ONVIF's extension says it in pixels.
  @Test(arguments: packetSizes, [false, true]) func headersComeThrough(packetSize: Int, extends: Bool) throws {
    let sizes = [(1, 1), (8, 8), (16, 8), (17, 33), (640, 480), (1920, 1080), (2033, 2034), (2040, 2040)]
    var link = Link(packetSize: packetSize, extends: extends, sequence: 65_500)
    var timestamp = UInt32.max - 50_000
    var length = 2
    for (width, height) in sizes {
      let blocks = ((width + 7) / 8 * 8, (height + 7) / 8 * 8)
      for sampling in [JPEGHeader.Sampling.yuv422, .yuv420] {
        for (interval, hasDHT) in [(0, true), (0, false), (1, true), (65_535, false)] {
          let jpeg = try Noise.jpeg(width, height, sampling, interval: interval, hasDHT: hasDHT, scan: length)
          try link.check(jpeg, timestamp: timestamp, size: extends ? (width, height) : blocks)
          timestamp &+= 3000
          length = (length * 5 + 7) % 4001 + 2
        }
      }
    }
    link.checkEnd(frames: 64)
  }

  /// Where a scan just fills its packets, and where it has a byte or two less or more: EOI may be cut in two.
  @Test(arguments: packetSizes, [false, true]) func lengthsComeThrough(packetSize: Int, extends: Bool) throws {
    for interval in [0, 9] {
      var link = Link(packetSize: packetSize, extends: extends, sequence: 65_535)
      let next = packetSize - 12 - 8 - (interval > 0 ? 4 : 0)
      let first = next - (extends ? 24 : 0) - 4 - 128
      for full in 0...2 {
        for more in -2...2 {
          let jpeg = try Noise.jpeg(640, 480, .yuv420, interval: interval, scan: first + full * next + more)
          let count = try link.check(jpeg, timestamp: UInt32(5 * full + more + 2), size: (640, 480))
          #expect(count == 1 + full + (more > 0 ? 1 : 0))
        }
      }
      link.checkEnd(frames: 15)
    }
  }

  /// Who says a size that RFC 2435's header can't.
  enum Sayer { case sdp, extended }

  /// Sizes over 2040, up to as much of a scan as there can be.
  @Test(arguments: [
    Large(2041, 16, .yuv420, interval: 0, hasDHT: true, .sdp, packetSize: 200, scan: 20_000),
    Large(2041, 16, .yuv422, interval: 3, hasDHT: false, .extended, packetSize: 201, scan: 20_000),
    Large(16, 2041, .yuv422, interval: 0, hasDHT: false, .sdp, packetSize: 576, scan: 20_000),
    Large(3840, 2160, .yuv422, interval: 0, hasDHT: true, .extended, packetSize: 1400, scan: 1_500_000),
    Large(3840, 2160, .yuv420, interval: 240, hasDHT: false, .sdp, packetSize: 9000, scan: 3_000_000),
    Large(8192, 8192, .yuv420, interval: 512, hasDHT: true, .extended, packetSize: 65_000, scan: 8_000_000),
    Large(8192, 8192, .yuv422, interval: 0, hasDHT: true, .sdp, packetSize: 65_507, scan: 0xFF_FFFF),
    Large(65_535, 65_535, .yuv420, interval: 1, hasDHT: false, .extended, packetSize: 65_507, scan: 100_000),
  ]) func largePicturesComeThrough(picture: Large) throws {
    let dimensions = (width: UInt16(picture.width), height: UInt16(picture.height))
    var link = Link(
      packetSize: picture.packetSize, extends: picture.sayer == .extended, sequence: 65_000,
      dimensions: picture.sayer == .sdp ? dimensions : nil)
    let jpeg = try Noise.jpeg(
      picture.width, picture.height, picture.sampling, interval: picture.interval, hasDHT: picture.hasDHT,
      scan: picture.scan)
    try link.check(jpeg, timestamp: 1, size: (picture.width, picture.height))
    link.checkEnd(frames: 1)
  }

  /// As many packets as there are numbers, less one. With one more the frame is refused, and the next one's numbers go on
  /// as if there had been none.
  @Test(arguments: [0, 7]) func aFrameHas65535PacketsAtMost(interval: Int) throws {
    let next = 200 - 12 - 8 - (interval > 0 ? 4 : 0)
    let most = next - 4 - 128 + 65_534 * next
    var link = Link(packetSize: 200, sequence: 30_000)
    func jpeg(_ scan: Int) throws -> [UInt8] {
      try Noise.jpeg(1920, 1080, .yuv420, interval: interval, scan: scan)
    }
    let count = try link.check(jpeg(most), timestamp: 1, size: (1920, 1080))
    #expect(count == 65_535)
    let larger = try jpeg(most + 1)
    #expect(throws: JPEGFault.tooLarge) { try link.check(larger, timestamp: 2, size: (1920, 1080)) }
    try link.check(jpeg(1000), timestamp: 3, size: (1920, 1080))
    link.checkEnd(frames: 2)
  }

  /// Frames before and after the wrap of the timestamps, with that of the packets' numbers at every place; in order, and
  /// with each frame's last packet behind the next one's first.
  @Test(arguments: [false, true]) func wrapsDoNotMatter(isSwapped: Bool) throws {
    let jpegs = try (0..<4).map { try Noise.jpeg(320, 240, .yuv422, scan: 1600 + $0) }
    let count = try PacketizerTests.packets(jpegs[0], size: 300).count
    for before in 0...4 * count {
      var sequence = 0 &- UInt16(before)
      var packets: [[UInt8]] = []
      for (jpeg, timestamp) in zip(jpegs, [UInt32.max - 3000, .max, 0, 3000]) {
        packets += try PacketizerTests.packets(jpeg, size: 300, sequence: sequence, timestamp: timestamp)
        sequence &+= UInt16(count)
      }
      if isSwapped { for end in 1...3 { packets.swapAt(end * count - 1, end * count) } }
      var depacketizer = Depacketizer()
      var scans: [[UInt8]] = []
      for packet in packets {
        packet.withUnsafeBytes {
          if case .frame(let jpeg, _, _, _) = depacketizer.receive($0, arrival: 0) {
            scans.append(Samples.scan(Array(jpeg)))
          }
        }
      }
      depacketizer.finish()
      #expect(scans == jpegs.map(Samples.scan), "\(before) packets before the wrap")
      #expect(depacketizer.incomplete == 0 && depacketizer.statistics.lost == 0)
      #expect(depacketizer.statistics.reordered == (isSwapped ? 3 : 0))
    }
  }

  /// A decoder reads what comes, and gives the same pixels. Those that fill the last blocks are there, too.
  @Test(arguments: [(1, 1), (8, 8), (16, 8), (17, 33), (640, 480)], [JPEGHeader.Sampling.yuv422, .yuv420])
  func pixelsComeThrough(size: (width: Int, height: Int), sampling: JPEGHeader.Sampling) throws {
    let whole = try Samples.jpeg(width: size.width, height: size.height, sampling: sampling)
    let before = try pixels(whole)
    #expect(before.width == size.width)
    // An interval that is longer than the picture needs no markers.
    let bare = Samples.edit(whole) { segments, _ in
      segments.removeAll { $0.marker == 0xC4 }
      segments.append((0xDD, [0xFF, 0xFF]))
    }
    for jpeg in [whole, bare] {
      let packets = try PacketizerTests.packets(jpeg, size: 576)
      var depacketizer = Depacketizer()
      var frames: [[UInt8]] = []
      for packet in packets {
        packet.withUnsafeBytes {
          if case .frame(let jpeg, _, _, _) = depacketizer.receive($0, arrival: 0) { frames.append(Array(jpeg)) }
        }
      }
      try #require(frames.count == 1)
      let after = try pixels(frames[0])
      #expect(after.width == (size.width + 7) / 8 * 8 && after.rows.count == (size.height + 7) / 8 * 8)
      let isSame = zip(before.rows, after.rows).allSatisfy { $0 == $1.prefix(3 * size.width) }
      #expect(isSame)
    }
  }

  private func pixels(_ jpeg: [UInt8]) throws -> (width: Int, rows: [ArraySlice<UInt8>]) {
    var decoder = try JPEGDecoder()
    return try jpeg.withUnsafeBytes {
      let picture = try decoder.decode($0)
      let pixels = Array(picture.pixels)
      let length = 3 * picture.width
      return (picture.width, (0..<picture.height).map { pixels[$0 * length..<($0 + 1) * length] })
    }
  }
}

/// A picture over 2040 pixels, and how it is sent.
struct Large: Sendable {
  let width, height: Int
  let sampling: JPEGHeader.Sampling
  let interval: Int
  let hasDHT: Bool
  let sayer: RoundTripTests.Sayer
  let packetSize: Int
  let scan: Int

  init(
    _ width: Int, _ height: Int, _ sampling: JPEGHeader.Sampling, interval: Int, hasDHT: Bool,
    _ sayer: RoundTripTests.Sayer, packetSize: Int, scan: Int
  ) {
    self.width = width
    self.height = height
    self.sampling = sampling
    self.interval = interval
    self.hasDHT = hasDHT
    self.sayer = sayer
    self.packetSize = packetSize
    self.scan = scan
  }
}

/// JPEGs that no decoder reads: their headers are right, their scans are random.
enum Noise {
  /// - Parameter count: bytes of the scan, EOI among them.
  static func jpeg(
    _ width: Int, _ height: Int, _ sampling: JPEGHeader.Sampling, interval: Int = 0, hasDHT: Bool = true,
    scan count: Int
  ) throws -> [UInt8] {
    Samples.edit(try Samples.jpeg(width: 8, height: 8)) { segments, rest in
      if !hasDHT { segments.removeAll { $0.marker == 0xC4 } }
      for index in segments.indices {
        switch segments[index].marker {
        case 0xC0:
          let size = [height >> 8, height & 0xFF, width >> 8, width & 0xFF].map { UInt8($0) }
          segments[index].body.replaceSubrange(1..<5, with: size)
          segments[index].body[7] = sampling == .yuv420 ? 0x22 : 0x21
        case 0xDB:
          // Others for every picture.
          let start = (count + 100 * index) % 10_000
          segments[index].body.replaceSubrange(1..<65, with: bytes[start..<start + 64])
        default: break
        }
      }
      if interval > 0 { segments.append((0xDD, [UInt8(interval >> 8), UInt8(interval & 0xFF)])) }
      // SOS has 14 bytes.
      rest = rest[..<14] + bytes[..<(count - 2)] + [0xFF, 0xD9]
    }
  }

  /// Random bytes with all that a scan can have: stuffed bytes, restart markers, fill bytes.
  private static let bytes: [UInt8] = {
    var bytes = [UInt8](repeating: 0, count: 1 << 24)
    bytes.withUnsafeMutableBytes { bytes in
      var state: UInt64 = 1
      for offset in stride(from: 0, to: bytes.count, by: 8) {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        bytes.storeBytes(of: state & 0x7F7F_7F7F_7F7F_7F7F, toByteOffset: offset, as: UInt64.self)
      }
      let marks: [[UInt8]] = [[0xFF, 0x00], [0xFF, 0xD0], [0xFF, 0xFF, 0xFF, 0xD7]]
      for offset in stride(from: 3, to: bytes.count - 4, by: 97) {
        for (index, byte) in marks[offset % 3].enumerated() { bytes[offset + index] = byte }
      }
    }
    return bytes
  }()
}

/// A packetizer and a depacketizer, and nothing is lost between them.
struct Link: ~Copyable {
  private var reader = JPEGReader()
  private var packetizer: Packetizer
  private var depacketizer: Depacketizer
  private let datagram = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_507, alignment: 16)
  private var packets: UInt64 = 0

  init(packetSize: Int, extends: Bool = false, sequence: UInt16, dimensions: (width: UInt16, height: UInt16)? = nil) {
    packetizer = Packetizer(
      packetSize: packetSize, largestFrame: 1 << 25, payloadType: 26, ssrc: 1, onvifExtension: extends,
      sequence: sequence)
    depacketizer = Depacketizer(dimensions: dimensions)
  }

  deinit { datagram.deallocate() }

  /// Sends a picture, which must come as one frame, with its last packet, and as it was but for its size.
  /// - Returns: how many packets it took.
  @discardableResult
  mutating func check(_ jpeg: [UInt8], timestamp: UInt32, size: (width: Int, height: Int)) throws -> Int {
    try jpeg.withUnsafeBytes { jpeg in
      let picture = try reader.read(jpeg, isExact: true)
      let plan = try packetizer.plan(picture, timestamp: timestamp)
      packets += UInt64(plan.count)
      for index in 0..<plan.count {
        let (header, payload) = plan[index]
        let length = header.count + payload.count
        datagram.copyMemory(from: header)
        UnsafeMutableRawBufferPointer(rebasing: datagram[header.count..<length]).copyMemory(from: payload)
        let event = depacketizer.receive(UnsafeRawBufferPointer(rebasing: datagram[..<length]), arrival: 0)
        if case .frame(let received, let width, let height, _) = event {
          #expect(index == plan.count - 1)
          #expect([width, height] == [size.width, size.height])
          try Self.compare(received, picture, size)
        } else if index == plan.count - 1 {
          Issue.record("no frame came")
        }
      }
      return plan.count
    }
  }

  private static func compare(
    _ received: UnsafeRawBufferPointer, _ picture: JPEGPicture, _ size: (width: Int, height: Int)
  ) throws {
    let header = try JPEGHeader(received)
    let expected = JPEGHeader(
      width: UInt16(size.width), height: UInt16(size.height), sampling: picture.header.sampling,
      tables: picture.header.tables, restartInterval: picture.header.restartInterval, scanOffset: header.scanOffset)
    #expect(header == expected)
    let scan = UnsafeRawBufferPointer(rebasing: received[header.scanOffset...])
    try #require(scan.count == picture.scan.count)
    // By words: an Array's == takes seconds for these in a debug build.
    var same = 0
    while same + 8 <= scan.count,
      scan.loadUnaligned(fromByteOffset: same, as: UInt64.self)
        == picture.scan.loadUnaligned(fromByteOffset: same, as: UInt64.self)
    { same += 8 }
    let isSame = scan[same...].elementsEqual(picture.scan[same...])
    #expect(isSame, "from byte \(same)")
  }

  /// Nothing was lost, and nothing else came.
  mutating func checkEnd(frames: UInt64) {
    depacketizer.finish()
    let counts = [depacketizer.frames, depacketizer.incomplete, depacketizer.malformed, depacketizer.foreign]
    #expect(counts == [frames, 0, 0, 0])
    let statistics = depacketizer.statistics
    let numbers = [statistics.packets, statistics.lost, statistics.reordered, statistics.duplicates]
    #expect(numbers == [packets, 0, 0, 0])
  }
}
