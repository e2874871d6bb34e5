/// The fixed header of an RTP packet (RFC 3550, 5.1).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
///     |                           timestamp                           |
///     |           synchronization source (SSRC) identifier            |
public struct RTPHeader: Equatable, Sendable {
  /// Bytes without CSRCs and extension, as a sender of one source writes it.
  public static let size = 12

  public var marker: Bool
  /// X: an extension follows the header.
  public var hasExtension: Bool
  public var payloadType: UInt8
  public var sequence: UInt16
  /// 90 kHz for video.
  public var timestamp: UInt32
  public var ssrc: UInt32

  public init(
    marker: Bool, hasExtension: Bool = false, payloadType: UInt8, sequence: UInt16, timestamp: UInt32, ssrc: UInt32
  ) {
    self.marker = marker
    self.hasExtension = hasExtension
    self.payloadType = payloadType
    self.sequence = sequence
    self.timestamp = timestamp
    self.ssrc = ssrc
  }

  /// Writes `size` bytes.
  @inline(__always)
  public func write(to memory: UnsafeMutableRawPointer) {
    let flags = UInt32(hasExtension ? 0x9000_0000 : 0x8000_0000) | (marker ? 0x0080_0000 : 0)
    let first = flags | UInt32(payloadType & 0x7F) << 16
    memory.storeBytes(of: (first | UInt32(sequence)).bigEndian, as: UInt32.self)
    memory.storeBytes(of: timestamp.bigEndian, toByteOffset: 4, as: UInt32.self)
    memory.storeBytes(of: ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
  }

  /// Reads a packet's header and finds its parts behind the CSRCs and before the padding.
  /// - Returns: nil where it is no whole packet of version 2.
  public static func read(_ packet: UnsafeRawBufferPointer) -> RTPPacket? {
    var reader = ByteReader(packet)
    guard let flags = reader.byte(), flags >> 6 == 2, let second = reader.byte(), let sequence = reader.word(),
      let timestamp = reader.doubleWord(), let ssrc = reader.doubleWord(), reader.take(4 * Int(flags & 0x0F)) != nil
    else { return nil }
    let header = RTPHeader(
      marker: second & 0x80 != 0, hasExtension: flags & 0x10 != 0, payloadType: second & 0x7F, sequence: sequence,
      timestamp: timestamp, ssrc: ssrc)
    var onvif: ByteReader?
    if header.hasExtension {
      guard let profile = reader.word(), let words = reader.word(), let body = reader.take(4 * Int(words)) else {
        return nil
      }
      if profile == OnvifExtension.profile { onvif = body }
    }
    var payload = reader.rest
    if flags & 0x20 != 0 {
      guard let padding = payload.last, padding > 0, Int(padding) <= payload.count else { return nil }
      payload = UnsafeRawBufferPointer(rebasing: payload.dropLast(Int(padding)))
    }
    return RTPPacket(header: header, onvif: onvif, payload: payload)
  }
}

/// A packet that was received, read.
public struct RTPPacket {
  public let header: RTPHeader
  /// The body of ONVIF's extension, where it has one.
  let onvif: ByteReader?
  public let payload: UnsafeRawBufferPointer
}
