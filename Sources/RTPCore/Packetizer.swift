/// Turns frames into RTP/JPEG packets (RFC 2435): Q = 255, both tables in every frame's first packet.
public struct Packetizer: ~Copyable {
  /// The sizes of RTP packets that are possible, in bytes.
  public static let packetSizes = 200...65_507
  /// The most headers that a packet has which is not a frame's first.
  private static let longestNext = RTPHeader.size + JPEGPayloadHeader.size + RestartHeader.size
  /// The most that the first has: the quantization tables behind a header of 4 bytes (RFC 2435, 3.1.8).
  private static let longestFirst = longestNext + OnvifExtension.size + 4 + QuantizationTables.size

  public private(set) var ssrc: UInt32
  public let payloadType: UInt8
  /// The largest RTP packet, in bytes: the UDP payload.
  public private(set) var packetSize: Int
  /// The most packets a frame can have.
  public private(set) var capacity: Int

  /// A frame's first packet says its size in ONVIF's header extension, too.
  private let extends: Bool
  private var arena: UnsafeMutableRawPointer
  private var sequence: UInt16
  /// Where the last plan began.
  private var planStart: UInt16
  /// The last plan's.
  public private(set) var timestamp: UInt32 = 0

  /// - Parameters:
  ///   - packetSize: the largest RTP packet in bytes, out of `packetSizes`.
  ///   - largestFrame: the most bytes that a frame can have.
  ///   - onvifExtension: put `OnvifExtension` into each frame's first packet.
  ///   - sequence: the first packet's number; random by default (RFC 3550, 5.1).
  public init(
    packetSize: Int, largestFrame: Int, payloadType: UInt8, ssrc: UInt32, onvifExtension: Bool = false,
    sequence: UInt16 = .random(in: 0 ... .max)
  ) {
    self.packetSize = Self.possible(packetSize)
    capacity = Self.capacity(self.packetSize, largestFrame)
    arena = .allocate(byteCount: Self.longestFirst + capacity * Self.longestNext, alignment: 16)
    extends = onvifExtension
    self.payloadType = payloadType
    self.ssrc = ssrc
    self.sequence = sequence
    planStart = sequence
  }

  private static func possible(_ size: Int) -> Int {
    min(max(size, packetSizes.lowerBound), packetSizes.upperBound)
  }

  /// A receiver could not tell more than one round of sequence numbers apart.
  private static func capacity(_ packetSize: Int, _ largestFrame: Int) -> Int {
    min(largestFrame / (packetSize - longestNext) + 2, 65_535)
  }

  deinit { arena.deallocate() }

  /// Makes packets of another size from the next plan on. It allocates, where they become more.
  public mutating func setPacketSize(_ size: Int, largestFrame: Int) {
    packetSize = Self.possible(size)
    let needed = Self.capacity(packetSize, largestFrame)
    guard needed > capacity else { return }
    capacity = needed
    arena.deallocate()
    arena = .allocate(byteCount: Self.longestFirst + capacity * Self.longestNext, alignment: 16)
  }

  /// The packets of the last plan were not sent: the next plan has their numbers.
  public mutating func takeBack() { sequence = planStart }

  /// Bytes of header extension that a frame's first packet has.
  public var extensionSize: Int { extends ? OnvifExtension.size : 0 }

  /// Goes on as another source, since another one has this one's SSRC (RFC 3550, 8.2).
  public mutating func changeSource() {
    let before = ssrc
    while ssrc == before { ssrc = .random(in: 0 ... .max) }
  }

  /// Plans a frame's packets and writes their headers. The plan holds until the next one is made.
  /// - Parameter timestamp: the frame's, in 90 kHz.
  public mutating func plan(_ picture: JPEGPicture, timestamp: UInt32) throws(JPEGFault) -> PacketPlan {
    let scan = picture.scan
    let hasRestart = picture.header.restartInterval > 0
    let nextHeader = RTPHeader.size + JPEGPayloadHeader.size + (hasRestart ? RestartHeader.size : 0)
    let firstHeader = nextHeader + extensionSize + 4 + QuantizationTables.size
    let firstPayload = packetSize - firstHeader
    let nextPayload = packetSize - nextHeader
    guard scan.count <= JPEGPayloadHeader.largestOffset else { throw .tooLarge }
    // In 32 bits, where processors divide twice as fast.
    let beyond = UInt32(max(0, scan.count - firstPayload))
    let count = 1 + Int((beyond + UInt32(nextPayload) - 1) / UInt32(nextPayload))
    guard count <= capacity else { throw .tooLarge }

    var rtp = RTPHeader(
      marker: count == 1, hasExtension: extends, payloadType: payloadType, sequence: sequence, timestamp: timestamp,
      ssrc: ssrc)
    let blocks = JPEGPayloadHeader.blocks(width: picture.header.width, height: picture.header.height)
    var jpeg = JPEGPayloadHeader(
      offset: 0, type: picture.header.sampling.rawValue + (hasRestart ? 64 : 0), q: 255, width: blocks.width,
      height: blocks.height)
    var end = writeFirst(picture.header, rtp, jpeg)
    rtp.hasExtension = false
    jpeg.offset = UInt32(firstPayload)
    // Its packets are not aligned to restart intervals.
    let restart = RestartHeader(interval: picture.header.restartInterval)
    for index in 1..<max(1, count) {
      rtp.sequence &+= 1
      rtp.marker = index == count - 1
      rtp.write(to: end)
      jpeg.write(to: end + RTPHeader.size)
      if hasRestart { restart.write(to: end + RTPHeader.size + JPEGPayloadHeader.size) }
      jpeg.offset += UInt32(nextPayload)
      end += nextHeader
    }
    planStart = sequence
    self.timestamp = timestamp
    sequence = rtp.sequence &+ 1
    return PacketPlan(
      count: count, headers: arena, scan: scan, firstHeader: firstHeader, nextHeader: nextHeader,
      firstPayload: firstPayload, nextPayload: nextPayload)
  }

  /// Writes the first packet's headers.
  /// - Returns: where they end.
  @inline(__always)
  private func writeFirst(
    _ header: JPEGHeader, _ rtp: RTPHeader, _ jpeg: JPEGPayloadHeader
  ) -> UnsafeMutableRawPointer {
    var end = arena
    rtp.write(to: end)
    end += RTPHeader.size
    if extends {
      OnvifExtension(header).write(to: end)
      end += OnvifExtension.size
    }
    jpeg.write(to: end)
    end += JPEGPayloadHeader.size
    if header.restartInterval > 0 {
      RestartHeader(interval: header.restartInterval).write(to: end)
      end += RestartHeader.size
    }
    // RFC 2435, 3.1.8: MBZ, precision 0 (8 bits), and the length of the tables.
    end.storeBytes(of: UInt32(QuantizationTables.size).bigEndian, as: UInt32.self)
    header.tables.write(to: end + 4)
    return end + 4 + QuantizationTables.size
  }
}
