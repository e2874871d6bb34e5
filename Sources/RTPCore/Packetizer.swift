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
  /// The plan that was begun, of a frame that is still arriving.
  private var growing: (cursor: Cursor, header: JPEGHeader)?

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
    var cursor = start(picture.header, timestamp)
    return try extend(&cursor, picture.scan, picture.header, isWhole: true)
  }

  /// Begins the plan of a frame whose scan is still arriving.
  /// - Parameter timestamp: the frame's, in 90 kHz.
  public mutating func begin(_ header: JPEGHeader, timestamp: UInt32) { growing = (start(header, timestamp), header) }

  /// Goes on with the plan that was begun: adds the packets that are complete by now.
  /// - Parameters:
  ///   - scan: all that is there of it, from its beginning.
  ///   - isWhole: it ends there: the rest goes into the last packet, which has the marker.
  public mutating func extend(_ scan: UnsafeRawBufferPointer, isWhole: Bool) throws(JPEGFault) -> PacketPlan {
    guard let (begun, header) = growing else { throw .empty }
    var cursor = begun
    defer { growing = (cursor, header) }
    return try extend(&cursor, scan, header, isWhole: isWhole)
  }

  /// Where a plan is.
  private struct Cursor {
    let hasRestart: Bool
    /// Bytes of the first packet's headers, and of the others'.
    let firstHeader: Int
    let nextHeader: Int
    /// The next packet's.
    var rtp: RTPHeader
    var jpeg: JPEGPayloadHeader
    var end: UnsafeMutableRawPointer
    var count = 0
  }

  @inline(__always)
  private mutating func start(_ header: JPEGHeader, _ timestamp: UInt32) -> Cursor {
    let hasRestart = header.restartInterval > 0
    let nextHeader = RTPHeader.size + JPEGPayloadHeader.size + (hasRestart ? RestartHeader.size : 0)
    let blocks = JPEGPayloadHeader.blocks(width: header.width, height: header.height)
    planStart = sequence
    self.timestamp = timestamp
    return Cursor(
      hasRestart: hasRestart, firstHeader: nextHeader + extensionSize + 4 + QuantizationTables.size,
      nextHeader: nextHeader,
      rtp: RTPHeader(
        marker: false, hasExtension: extends, payloadType: payloadType, sequence: sequence, timestamp: timestamp,
        ssrc: ssrc),
      jpeg: JPEGPayloadHeader(
        offset: 0, type: header.sampling.rawValue + (hasRestart ? 64 : 0), q: 255, width: blocks.width,
        height: blocks.height),
      end: arena)
  }

  @inline(__always)
  private mutating func extend(
    _ cursor: inout Cursor, _ scan: UnsafeRawBufferPointer, _ header: JPEGHeader, isWhole: Bool
  ) throws(JPEGFault) -> PacketPlan {
    let firstPayload = packetSize - cursor.firstHeader
    let nextPayload = packetSize - cursor.nextHeader
    guard scan.count <= JPEGPayloadHeader.largestOffset else { throw .tooLarge }
    // Packets with more behind them; in 32 bits, where processors divide twice as fast.
    let beyond = UInt32(max(0, scan.count - firstPayload))
    let count = Int((beyond + UInt32(nextPayload) - 1) / UInt32(nextPayload)) + (isWhole ? 1 : 0)
    guard count <= capacity else { throw .tooLarge }
    if cursor.count == 0, count > 0 {
      cursor.rtp.marker = isWhole && count == 1
      cursor.end = writeFirst(header, cursor.rtp, cursor.jpeg)
      cursor.rtp.hasExtension = false
      cursor.rtp.sequence &+= 1
      cursor.jpeg.offset = UInt32(firstPayload)
      cursor.count = 1
    }
    // Its packets are not aligned to restart intervals.
    let restart = RestartHeader(interval: header.restartInterval)
    for index in cursor.count..<max(cursor.count, count) {
      cursor.rtp.marker = isWhole && index == count - 1
      cursor.rtp.write(to: cursor.end)
      cursor.jpeg.write(to: cursor.end + RTPHeader.size)
      if cursor.hasRestart { restart.write(to: cursor.end + RTPHeader.size + JPEGPayloadHeader.size) }
      cursor.jpeg.offset += UInt32(nextPayload)
      cursor.end += cursor.nextHeader
      cursor.rtp.sequence &+= 1
    }
    cursor.count = max(cursor.count, count)
    sequence = cursor.rtp.sequence
    return PacketPlan(
      count: cursor.count, headers: arena, scan: scan, firstHeader: cursor.firstHeader, nextHeader: cursor.nextHeader,
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
