/// The header of a JPEG of any kind as libjpeg wants it, in place of one that it refuses and other decoders read: without
/// what stands between its segments, and with the components of the frame header in the scan's order (ITU-T T.81, B.2.3).
public struct PlainHeader: Sendable {
  /// From SOI to the end of SOS, with the segments that matter to a decoder.
  public let bytes: [UInt8]
  /// Where the scan's data begins, in bytes from the frame's start.
  public let scanOffset: Int
  /// For each component of the original frame header its place in this one; nil: the order is the same.
  public let places: [Int]?

  /// - Parameters:
  ///   - frame: a camera's frame.
  ///   - start: where its SOI is.
  /// - Returns: nil where there is no frame header before the first scan.
  public init?(_ frame: UnsafeRawBufferPointer, at start: Int) {
    var segments = JPEGSegments(frame, at: start + 2)
    var header: [UInt8] = [0xFF, 0xD8]
    var components: (offset: Int, bytes: [[UInt8]])?
    var namesColours = false
    while case .segment(let marker, let body) = try? segments.next() {
      guard Self.matters(marker), body.remaining > 0 else { continue }
      header += [0xFF, marker, UInt8((body.remaining + 2) >> 8), UInt8((body.remaining + 2) & 0xFF)] + Array(body.rest)
      namesColours = namesColours || marker == 0xE0 || marker == 0xEE
      if Self.isFrame(marker) {
        components = Self.components(body).map { (header.count - 3 * $0.count, $0) }
      }
      guard marker == 0xDA else { continue }
      guard let (offset, fields) = components else { return nil }
      scanOffset = segments.offset
      guard let order = Self.order(body, of: fields.map { $0[0] }) else {
        (places, bytes) = (nil, header)
        return
      }
      header.replaceSubrange(offset..<offset + 3 * fields.count, with: order.flatMap { fields[$0] })
      places = fields.indices.compactMap { order.firstIndex(of: $0) }
      // In another order these names mean nothing to libjpeg.
      let isRGB = !namesColours && fields.map { $0[0] } == [0x52, 0x47, 0x42]
      if isRGB { header.insert(contentsOf: Self.adobeRGB, at: 2) }
      bytes = header
      return
    }
    return nil
  }

  /// APP14 "Adobe", version 100, no flags, no transform.
  private static let adobeRGB: [UInt8] = [
    0xFF, 0xEE, 0, 14, 0x41, 0x64, 0x6F, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0,
  ]

  /// SOFn, DHT, DAC, SOS, DQT, DRI, APP0 and APP14.
  private static func matters(_ marker: UInt8) -> Bool {
    isFrame(marker) || [0xC4, 0xCC, 0xDA, 0xDB, 0xDD, 0xE0, 0xEE].contains(marker)
  }

  private static func isFrame(_ marker: UInt8) -> Bool {
    (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker)
  }

  /// Identifier, sampling factors and table of each component; nil where the frame header has not just those.
  private static func components(_ body: ByteReader) -> [[UInt8]]? {
    var body = body
    guard body.take(5) != nil, let count = body.byte(), (1...4).contains(count), body.remaining == 3 * Int(count) else {
      return nil
    }
    let bytes = Array(body.rest)
    return stride(from: 0, to: bytes.count, by: 3).map { Array(bytes[$0..<$0 + 3]) }
  }

  /// The components in a scan header's order, as indices into the frame header's; nil where that is the same.
  private static func order(_ scan: ByteReader, of identifiers: [UInt8]) -> [Int]? {
    var scan = scan
    guard let count = scan.byte(), Int(count) == identifiers.count else { return nil }
    var order: [Int] = []
    for _ in 0..<count {
      guard let identifier = scan.byte(), scan.byte() != nil, let index = identifiers.firstIndex(of: identifier),
        !order.contains(index)
      else { return nil }
      order.append(index)
    }
    return order == Array(identifiers.indices) ? nil : order
  }
}
