/// What each packet of a compound RTCP packet begins with (RFC 3550, 6.4.1).
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |V=2|P|  count  |      PT       |             length            |
public struct RTCPHeader: Equatable {
  /// Of report blocks, chunks or sources.
  var count: UInt8
  var type: UInt8
  /// 32-bit words behind the header.
  var words: UInt16

  /// Packet types (RFC 3550, 12.1).
  static let senderReport: UInt8 = 200
  static let receiverReport: UInt8 = 201
  static let sourceDescription: UInt8 = 202
  static let goodbye: UInt8 = 203

  func write(to writer: inout ByteWriter) {
    writer.put(0x80 | count & 0x1F)
    writer.put(type)
    writer.put(words)
  }

  /// Reads a packet's header and finds its body, before any padding.
  /// - Returns: nil where it is no whole packet of version 2.
  static func read(_ reader: inout ByteReader) -> (header: RTCPHeader, isPadded: Bool, body: ByteReader)? {
    guard let first = reader.byte(), first >> 6 == 2, let type = reader.byte(), let words = reader.word(),
      var body = reader.take(4 * Int(words))
    else { return nil }
    let isPadded = first & 0x20 != 0
    if isPadded {
      guard let padding = body.rest.last, padding > 0, let rest = body.take(body.remaining - Int(padding)) else {
        return nil
      }
      body = rest
    }
    return (RTCPHeader(count: first & 0x1F, type: type, words: words), isPadded, body)
  }

  /// Whether a datagram is RTCP where RTP comes on the same port (RFC 5761, 4).
  public static func begins(_ datagram: UnsafeRawBufferPointer) -> Bool {
    datagram.count >= 4 && datagram[0] >> 6 == 2 && (192...223).contains(datagram[1])
  }
}
