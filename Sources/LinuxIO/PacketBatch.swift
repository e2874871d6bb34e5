import Glibc

/// Packets of one frame as the kernel wants them: two ranges each, a header and a payload, sent where they lie.
public struct PacketBatch: ~Copyable {
  let messages: UnsafeMutablePointer<mmsghdr>
  let ranges: UnsafeMutablePointer<iovec>
  /// The most packets it holds.
  public let capacity: Int
  /// The packets it holds now.
  public private(set) var count = 0

  /// The most that it held: what is beyond takes no memory yet.
  private var ready = 0

  /// Allocates for `capacity` packets, once.
  public init(capacity: Int) {
    self.capacity = capacity
    messages = .allocate(capacity: capacity)
    ranges = .allocate(capacity: 2 * capacity)
  }

  deinit {
    messages.deallocate()
    ranges.deallocate()
  }

  public mutating func removeAll() { count = 0 }

  /// Adds a packet; both ranges must stay as they are until it is sent. Past `capacity` nothing is added.
  public mutating func append(header: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) {
    append(1, header: header, payload: payload)
  }

  /// Adds packets of one size, whose headers follow each other in memory, and so do their payloads.
  /// - Parameters:
  ///   - header: the first one's.
  ///   - payload: the first one's.
  public mutating func append(_ more: Int, header: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) {
    let more = min(more, capacity - count)
    guard more > 0 else { return }
    while ready < count + more { prepare() }
    // Where a payload is empty, nothing is read there.
    var place = (UnsafeMutableRawPointer(ranges), UnsafeMutableRawPointer(ranges))
    if let start = header.baseAddress { place.0 = UnsafeMutableRawPointer(mutating: start) }
    if let start = payload.baseAddress { place.1 = UnsafeMutableRawPointer(mutating: start) }
    var pair = ranges + 2 * count
    for _ in 0..<more {
      pair[0] = iovec(iov_base: place.0, iov_len: header.count)
      pair[1] = iovec(iov_base: place.1, iov_len: payload.count)
      place.0 += header.count
      place.1 += payload.count
      pair += 2
    }
    count += more
  }

  /// One message more than there ever were.
  @inline(never)
  private mutating func prepare() {
    let pair = ranges + 2 * ready
    pair.initialize(repeating: iovec(), count: 2)
    var message = mmsghdr()
    message.msg_hdr.msg_iov = pair
    message.msg_hdr.msg_iovlen = 2
    (messages + ready).initialize(to: message)
    ready += 1
  }

  /// Bytes of one packet.
  @inline(__always)
  func size(of index: Int) -> Int { ranges[2 * index].iov_len + ranges[2 * index + 1].iov_len }

  /// Bytes of the first packet, which all others but the last have, too.
  public var packetSize: Int { count > 0 ? size(of: 0) : 0 }

  /// How many bytes all packets have.
  public var byteCount: Int { byteCount(0..<count) }

  /// How many bytes these packets have, of which all but the last of the batch have one size.
  public func byteCount(_ packets: Range<Int>) -> Int {
    guard let last = packets.last else { return 0 }
    return (packets.count - 1) * size(of: packets.lowerBound) + size(of: last)

  }
}
