/// Reads the packets of a compound RTCP packet (RFC 3550, 6.1), in place.
public struct RTCPReader {
  /// One of its packets.
  public enum Packet {
    case senderReport(ssrc: UInt32, SenderInfo, Blocks)
    case receiverReport(ssrc: UInt32, Blocks)
    case sourceDescription(Chunks)
    case goodbye(Sources)
    /// Of a type that says nothing here.
    case other
    /// Its count is more than its length.
    case malformed
  }

  private var reader: ByteReader

  /// - Returns: nil where it does not begin with a report, or its packets' lengths do not add up to the datagram's, or
  ///   one but the last is padded (A.2).
  public init?(_ datagram: UnsafeRawBufferPointer) {
    reader = ByteReader(datagram)
    var probe = reader
    var wasPadded = false
    repeat {
      let isFirst = probe.offset == 0
      guard !wasPadded, let (header, isPadded, _) = RTCPHeader.read(&probe) else { return nil }
      let isReport = header.type == RTCPHeader.senderReport || header.type == RTCPHeader.receiverReport
      if isFirst && (!isReport || isPadded) { return nil }
      wasPadded = isPadded
    } while probe.remaining > 0
  }

  /// The next packet; nil behind the last.
  public mutating func next() -> Packet? {
    guard let (header, _, start) = RTCPHeader.read(&reader) else { return nil }
    var body = start
    let count = Int(header.count)
    switch header.type {
    case RTCPHeader.senderReport:
      guard let ssrc = body.doubleWord(), let info = SenderInfo(&body), let blocks = Blocks(&body, count) else {
        return .malformed
      }
      return .senderReport(ssrc: ssrc, info, blocks)
    case RTCPHeader.receiverReport:
      guard let ssrc = body.doubleWord(), let blocks = Blocks(&body, count) else { return .malformed }
      return .receiverReport(ssrc: ssrc, blocks)
    case RTCPHeader.sourceDescription: return .sourceDescription(Chunks(body: body, left: count))
    case RTCPHeader.goodbye:
      guard let sources = body.take(4 * count) else { return .malformed }
      return .goodbye(Sources(body: sources))
    default: return .other
    }
  }

  /// Whether it describes a source by this name: a group gives back what is sent to it.
  func describes(_ ssrc: UInt32, as name: CanonicalName) -> Bool {
    var packets = self
    while let packet = packets.next() {
      guard case .sourceDescription(let chunks) = packet else { continue }
      for chunk in chunks where chunk.ssrc == ssrc {
        if let text = chunk.name { return text.elementsEqual(name.bytes) }
      }
    }
    return false
  }

  /// Report blocks.
  public struct Blocks: Sequence, IteratorProtocol {
    private var body: ByteReader

    fileprivate init?(_ reader: inout ByteReader, _ count: Int) {
      guard let body = reader.take(ReportBlock.size * count) else { return nil }
      self.body = body
    }

    public mutating func next() -> ReportBlock? { ReportBlock(&body) }
  }

  /// Sources that end.
  public struct Sources: Sequence, IteratorProtocol {
    fileprivate var body: ByteReader
    public mutating func next() -> UInt32? { body.doubleWord() }
  }

  /// Descriptions of sources (6.5): what of them is a canonical name.
  public struct Chunks: Sequence, IteratorProtocol {
    fileprivate var body: ByteReader
    fileprivate var left: Int

    /// A source and its name, where it tells one.
    public mutating func next() -> (ssrc: UInt32, name: UnsafeRawBufferPointer?)? {
      guard left > 0, let ssrc = body.doubleWord() else { return nil }
      left -= 1
      var name: UnsafeRawBufferPointer?
      while let type = body.byte(), type != 0 {
        guard let length = body.byte(), let text = body.take(Int(length)) else { return nil }
        if type == 1 { name = text.rest }
      }
      // The next chunk begins with a whole word.
      _ = body.take(Swift.min(body.remaining, -body.offset & 3))
      return (ssrc, name)
    }
  }
}
