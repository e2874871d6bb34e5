/// Packets that belong to no known stream. One that the next packet in sequence follows is the beginning of a stream (RFC
/// 3550, A.1); the others were forged, or are of another sender.
struct Probation: ~Copyable {
  struct Packet {
    let source: StreamSource
    let header: RTPHeader
    /// UDP payload, in bytes.
    let size: Int
    let arrival: Int64
  }

  private var packets: [Packet] = []
  /// The bytes of the last of them.
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

  /// A packet may come between two of a stream, now and then.
  static let maximumCount = 4

  init() { packets.reserveCapacity(Self.maximumCount + 1) }

  deinit { memory.deallocate() }

  /// Keeps a packet.
  /// - Returns: the one that has to make room for it.
  mutating func add(_ packet: Packet, _ datagram: UnsafeRawBufferPointer) -> Packet? {
    packets.append(packet)
    memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: datagram.prefix(memory.count)))
    return packets.count > Self.maximumCount ? packets.removeFirst() : nil
  }

  /// Takes out the packet that comes before another in sequence. The rest is of no more use then: see `removeFirst`.
  /// - Returns: it, and its bytes until the next `add`, where they are still there.
  mutating func takePredecessor(
    of header: RTPHeader, _ source: StreamSource
  ) -> (packet: Packet, datagram: UnsafeRawBufferPointer?)? {
    guard let index = packets.firstIndex(where: { $0.header.sequence &+ 1 == header.sequence && $0.source == source })
    else { return nil }
    let isLast = index == packets.count - 1
    let packet = packets.remove(at: index)
    return (packet, isLast ? UnsafeRawBufferPointer(rebasing: memory[..<min(packet.size, memory.count)]) : nil)
  }

  /// Removes the oldest.
  mutating func removeFirst() -> Packet? { packets.isEmpty ? nil : packets.removeFirst() }
}
