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
