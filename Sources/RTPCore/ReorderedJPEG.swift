/// A JPEG whose scan has its components in another order than its frame header: against ITU-T T.81, B.2.3, and read by
/// FFmpeg, but not by libjpeg.
public struct ReorderedJPEG: Sendable {
  /// From SOI to the end of SOS, with the components of the frame header in the scan's order.
  public let header: [UInt8]
  /// Where the scan's data begins, in bytes from the frame's start.
  public let scanOffset: Int
  /// For each component of the original frame header its place in the new one.
  public let places: [Int]

  /// - Parameters:
  ///   - frame: a camera's frame.
  ///   - start: where its SOI is.
  /// - Returns: nil where the order is the same, or the components are not the same.
  public init?(_ frame: UnsafeRawBufferPointer, at start: Int) {
    var segments = JPEGSegments(frame, at: start + 2)
    var components: (offset: Int, bytes: [[UInt8]])?
    while case .segment(let marker, let body) = try? segments.next() {
      if marker == 0xC0 || marker == 0xC1 || marker == 0xC2 {
        components = Self.components(body).map { (segments.offset - 3 * $0.count, $0) }
      }
      guard marker == 0xDA else { continue }
      guard let (offset, bytes) = components, let order = Self.order(body, of: bytes.map { $0[0] }) else { return nil }
      var header = Array(frame[start..<segments.offset])
      header.replaceSubrange(offset - start..<offset - start + 3 * bytes.count, with: order.flatMap { bytes[$0] })
      self.header = header
      scanOffset = segments.offset
      places = bytes.indices.compactMap { order.firstIndex(of: $0) }
      return
    }
    return nil
  }

  /// Identifier, sampling factors and table of each component; nil where the frame header has not just those.
  private static func components(_ body: ByteReader) -> [[UInt8]]? {
    var body = body
    guard body.take(5) != nil, let count = body.byte(), (2...4).contains(count), body.remaining == 3 * Int(count) else {
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
