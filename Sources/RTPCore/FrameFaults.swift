/// What a stream's frames show of a sender that breaks the rules for timestamps and markers (RFC 3550, 5.1; RFC 2435, 3).
public struct FrameFaults: Equatable, Sendable {
  /// Frames with the timestamp of the frame before.
  public internal(set) var repeated: UInt64 = 0
  /// Frames whose timestamp is before that of the frame before.
  public internal(set) var backward: UInt64 = 0
  /// Packets that continue a frame, with another timestamp than its first one; each is malformed, too.
  public internal(set) var changed: UInt64 = 0
  /// Frames that other packets continue after the one with the marker; each of those is malformed, too.
  public internal(set) var continued: UInt64 = 0
  /// Frames whose last packet has no marker: the packet after it is another frame's first.
  public internal(set) var unmarked: UInt64 = 0
  /// Whole frames of which no quantization tables are known.
  public internal(set) var withoutTables: UInt64 = 0
  /// The Q of the first of those.
  public internal(set) var unknownQ: UInt8?

  public init() {}
}

/// Where a packet stands in its stream, and its part in its frame.
struct PacketPlace {
  let timestamp: UInt32
  /// With the rounds of 65,536 above it: a large frame of small packets has more.
  let sequence: Int
  /// Of its part of the scan, in bytes.
  let offset: Int
  /// It has the marker.
  let isLast: Bool
}

/// What must be known of a frame to tell its packets from the next frame's.
struct FrameEnd {
  let timestamp: UInt32
  /// The highest sequence number of its packets, and the offset at which that one's part ends.
  var tail: (sequence: Int, offset: Int)
  /// Its last packet arrived.
  var hasMarker: Bool
  /// Packets came that continue it after the one with the marker.
  var isContinued = false

  /// Whether a packet is the next one, of a part that begins where the last one ends.
  func isContinued(by place: PacketPlace) -> Bool {
    place.sequence == tail.sequence + 1 && place.offset == tail.offset
  }
}
