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
