/// The RTP header extension of the ONVIF Streaming Specification (5.1.2): segments of the JPEG's header, for what RFC
/// 2435's own can't say. A frame's first packet has it; receivers that do not know it pass over it (RFC 3550, 5.3.1).
///
///     |             0xFFD8            |       length in words         |
///     |   segments of the JPEG's header, filled up with 0xFF          |
public struct OnvifExtension {
  /// The extension's profile: SOI.
  static let profile: UInt16 = 0xFFD8
  /// A SOF0 of three components has 19 bytes; one more fills the word.
  static let size = 4 + 20

  private let header: JPEGHeader

  /// What a receiver takes from it.
  struct Fields {
    /// SOF0's body: precision, size, and one or three components.
    var frame: [UInt8]?
    /// DHT's bodies, behind each other.
    var huffman: [UInt8] = []
  }

  /// Reads an extension's body; what is no segment of a JPEG's header ends it, and what is none of its kind is left out.
  static func read(_ body: ByteReader) -> Fields {
    var segments = JPEGSegments(body.rest, at: 0)
    var fields = Fields()
    while case .segment(let marker, let segment) = try? segments.next() {
      switch marker {
      case 0xC0: fields.frame = frame(Array(segment.rest)) ?? fields.frame
      case 0xC4 where HuffmanTables.isStandard(segment) != nil: fields.huffman += segment.rest
      default: break
      }
    }
    return fields
  }

  /// SOF0's body as a receiver takes it: 8 bits, one or three components, with the two tables that there are.
  private static func frame(_ body: [UInt8]) -> [UInt8]? {
    guard body.count >= 9, body[0] == 8, [1, 3].contains(body[5]), body.count == 6 + 3 * Int(body[5]) else {
      return nil
    }
    var frame = body
    for place in stride(from: 8, to: frame.count, by: 3) { frame[place] = min(frame[place], 1) }
    return frame
  }

  init(_ header: JPEGHeader) { self.header = header }

  /// Writes `size` bytes: the size that the payload's header can't say over 2040 pixels, and the sampling.
  @inline(__always)
  func write(to memory: UnsafeMutableRawPointer) {
    let first = UInt32(Self.profile) << 16 | UInt32((Self.size - 4) / 4)
    memory.storeBytes(of: first.bigEndian, as: UInt32.self)
    // SOF0, its length, 8 bits.
    memory.storeBytes(of: UInt32(0xFFC0_0011).bigEndian, toByteOffset: 4, as: UInt32.self)
    memory.storeBytes(of: 8, toByteOffset: 8, as: UInt8.self)
    memory.storeBytes(of: header.height.bigEndian, toByteOffset: 9, as: UInt16.self)
    memory.storeBytes(of: header.width.bigEndian, toByteOffset: 11, as: UInt16.self)
    let factors: UInt32 = header.sampling == .yuv420 ? 0x22 : 0x21
    // Three components: number, sampling factors, quantization table.
    memory.storeBytes(of: (0x0301_0000 | factors << 8).bigEndian, toByteOffset: 13, as: UInt32.self)
    memory.storeBytes(of: UInt32(0x0211_0103).bigEndian, toByteOffset: 17, as: UInt32.self)
    memory.storeBytes(of: UInt16(0x1101).bigEndian, toByteOffset: 21, as: UInt16.self)
    memory.storeBytes(of: 0xFF, toByteOffset: 23, as: UInt8.self)
  }
}
