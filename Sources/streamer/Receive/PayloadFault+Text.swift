import RTPCore

extension PayloadFault {
  /// For people: what the first such packet is.
  var text: String {
    switch self {
    case .noRTP: "the first is no RTP packet of version 2, or cut short"
    case .tooShort: "the first ends before its RTP/JPEG headers do"
    case .type(let type) where type >= 128:
      "the first has JPEG type \(type): what 128 to 255 mean is agreed outside of the stream (RFC 2435, 4.1), and this"
        + " receiver reads types 0, 1, 64 and 65"
    case .type(let type): "the first has JPEG type \(type), and RFC 2435 (4.1) defines 0, 1, 64 and 65 only"
    case .reservedQ(let q):
      "the first has Q \(q), which RFC 2435 (4.2) reserves: it defines 1 to 99, and 128 to 255 with tables in the stream"
    case .tablePrecision(let precision):
      "the first with quantization tables has such of 16 bits (precision \(precision)), which this receiver does not read,"
        + " as most do not: the sender's encoder has to make baseline JPEGs, whose tables have 8 bits"
    case .tableLength(let length):
      "the first with quantization tables gives them a length of \(length) bytes, which are less than one table of 64 bytes,"
        + " or more than the packet has"
    case .noTables:
      "the first has Q 255 and no quantization tables, which every frame of Q 255 must have (RFC 2435, 4.2)"
    case .noScan: "the first has headers, and no picture data after them"
    }
  }

  /// Whether a packet of another codec or program would be such a one.
  var isOfAnotherKind: Bool {
    switch self {
    case .noRTP, .tooShort, .type: true
    case .reservedQ, .tablePrecision, .tableLength, .noTables, .noScan: false
    }
  }
}
