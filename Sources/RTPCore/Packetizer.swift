/// Turns frames into RTP/JPEG packets (RFC 2435): Q = 255, both tables in every frame's first packet.
public struct Packetizer: ~Copyable {
  /// The sizes of RTP packets that are possible, in bytes.
  public static let packetSizes = 200...65_507
  /// Bytes of headers in every packet but a frame's first.
  static let nextHeader = RTPHeader.size + JPEGPayloadHeader.size
  /// The first has the quantization tables, too, behind a header of 4 bytes (3.1.8).
  static let firstHeader = nextHeader + 4 + QuantizationTables.size

  public let ssrc: UInt32
  public let payloadType: UInt8
  /// The largest RTP packet, in bytes: the UDP payload.
  public let packetSize: Int
  /// The most packets a frame can have.
  public let capacity: Int

  private let arena: UnsafeMutableRawPointer
  private var sequence: UInt16

  /// - Parameters:
  ///   - packetSize: the largest RTP packet in bytes, out of `packetSizes`.
  ///   - largestFrame: the most bytes that a frame can have.
  ///   - sequence: the first packet's number; random by default (RFC 3550, 5.1).
  public init(
    packetSize: Int, largestFrame: Int, payloadType: UInt8, ssrc: UInt32, sequence: UInt16 = .random(in: 0 ... .max)
  ) {
    let size = min(max(packetSize, Self.packetSizes.lowerBound), Self.packetSizes.upperBound)
    let packets = largestFrame / (size - Self.nextHeader) + 2
    self.packetSize = size
    // A receiver could not tell more than one round of sequence numbers apart.
    capacity = min(packets, 65_535)
    arena = .allocate(byteCount: Self.firstHeader + capacity * Self.nextHeader, alignment: 16)
    self.payloadType = payloadType
    self.ssrc = ssrc
    self.sequence = sequence
  }

  deinit { arena.deallocate() }

  /// Plans a frame's packets and writes their headers. The plan holds until the next one is made.
  /// - Parameter timestamp: the frame's, in 90 kHz.
  public mutating func plan(_ picture: JPEGPicture, timestamp: UInt32) throws(JPEGFault) -> PacketPlan {
    guard picture.header.restartInterval == 0 else { throw .unsupported(.restart) }
    let scan = picture.scan
    let firstPayload = packetSize - Self.firstHeader
    let nextPayload = packetSize - Self.nextHeader
    let beyond = max(0, scan.count - firstPayload)
    let count = 1 + (beyond + nextPayload - 1) / nextPayload
    guard scan.count <= JPEGPayloadHeader.largestOffset, count <= capacity else { throw .tooLarge }

    var rtp = RTPHeader(
      marker: false, payloadType: payloadType, sequence: sequence, timestamp: timestamp, ssrc: ssrc)
    let blocks = JPEGPayloadHeader.blocks(width: picture.header.width, height: picture.header.height)
    var jpeg = JPEGPayloadHeader(
      offset: 0, type: picture.header.sampling.rawValue, q: 255, width: blocks.width, height: blocks.height)
    // RFC 2435, 3.1.8: MBZ, precision 0 (8 bits), and the length of the tables.
    (arena + Self.nextHeader).storeBytes(of: UInt32(QuantizationTables.size).bigEndian, as: UInt32.self)
    picture.header.tables.write(to: arena + Self.nextHeader + 4)

    var header = arena
    for index in 0..<count {
      rtp.marker = index == count - 1
      rtp.write(to: header)
      jpeg.write(to: header + RTPHeader.size)
      rtp.sequence &+= 1
      jpeg.offset += UInt32(index == 0 ? firstPayload : nextPayload)
      header += index == 0 ? Self.firstHeader : Self.nextHeader
    }
    sequence = rtp.sequence
    return PacketPlan(
      count: count, headers: arena, scan: scan, firstHeader: Self.firstHeader, firstPayload: firstPayload,
      nextPayload: nextPayload)
  }
}
