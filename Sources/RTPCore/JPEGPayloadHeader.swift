/// The main header of an RTP/JPEG payload (RFC 2435, 3.1).
///
///     | Type-specific |              Fragment Offset                  |
///     |      Type     |       Q       |     Width     |     Height    |
public struct JPEGPayloadHeader: Equatable, Sendable {
  public static let size = 8
  /// The largest fragment offset that its 24 bits can hold.
  public static let largestOffset = 0xFF_FFFF

  public var typeSpecific: UInt8 = 0
  /// Where this packet's part of the scan begins, in bytes; 24 bits.
  public var offset: UInt32
  /// 0: 4:2:2, 1: 4:2:0; with restart markers 64 and 65.
  public var type: UInt8
  /// 255: every frame brings its quantization tables.
  public var q: UInt8
  /// In blocks of 8 pixels; 0 where the size is over 2040 pixels: it is in the SDP then.
  public var width: UInt8
  /// In blocks of 8 pixels.
  public var height: UInt8

  public init(offset: UInt32, type: UInt8, q: UInt8, width: UInt8, height: UInt8) {
    self.offset = offset
    self.type = type
    self.q = q
    self.width = width
    self.height = height
  }

  /// Writes `size` bytes.
  @inline(__always)
  public func write(to memory: UnsafeMutableRawPointer) {
    let first = UInt32(typeSpecific) << 24 | offset & 0xFF_FFFF
    let second = UInt32(type) << 24 | UInt32(q) << 16 | UInt32(width) << 8 | UInt32(height)
    memory.storeBytes(of: first.bigEndian, as: UInt32.self)
    memory.storeBytes(of: second.bigEndian, toByteOffset: 4, as: UInt32.self)
  }

  /// Reads it; nil where the payload is too short.
  public init?(_ reader: inout ByteReader) {
    guard let first = reader.doubleWord(), let second = reader.doubleWord() else { return nil }
    typeSpecific = UInt8(first >> 24)
    offset = first & 0xFF_FFFF
    type = UInt8(second >> 24)
    q = UInt8(second >> 16 & 0xFF)
    width = UInt8(second >> 8 & 0xFF)
    height = UInt8(second & 0xFF)
  }

  /// The picture is one field of interlaced video, with every other line of a frame (RFC 2435, 4.1): the odd (1) or the even
  /// one (2) of two, or one that stands for both (3).
  public var isField: Bool { (1...3).contains(typeSpecific) }

  /// A picture's size in pixels as the header has it: in blocks, rounded up; 0 and 0 where a side is over 2040.
  public static func blocks(width: UInt16, height: UInt16) -> (width: UInt8, height: UInt8) {
    guard max(width, height) <= 2040 else { return (0, 0) }
    return (UInt8((width + 7) / 8), UInt8((height + 7) / 8))
  }
}

/// The header after the main header of types 64 to 127 (RFC 2435, 3.1.7).
///
///     |       Restart Interval        |F|L|       Restart Count       |
public struct RestartHeader: Equatable, Sendable {
  public static let size = 4
  public var interval: UInt16
  /// F, L and the count. 0xFFFF: packets are not aligned to restart intervals.
  public var count: UInt16

  public init(interval: UInt16, count: UInt16 = 0xFFFF) {
    self.interval = interval
    self.count = count
  }

  /// Writes `size` bytes.
  @inline(__always)
  public func write(to memory: UnsafeMutableRawPointer) {
    memory.storeBytes(of: (UInt32(interval) << 16 | UInt32(count)).bigEndian, as: UInt32.self)
  }

  /// Reads it; nil where the payload is too short.
  public init?(_ reader: inout ByteReader) {
    guard let interval = reader.word(), let count = reader.word() else { return nil }
    self.init(interval: interval, count: count)
  }
}
