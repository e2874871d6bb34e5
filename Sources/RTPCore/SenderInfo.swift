/// What a sender report tells of its own source (RFC 3550, 6.4.1).
///
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |              NTP timestamp, most significant word             |
///     |             NTP timestamp, least significant word             |
///     |                         RTP timestamp                         |
///     |                     sender's packet count                     |
///     |                      sender's octet count                     |
public struct SenderInfo: Equatable, Sendable {
  static let size = 20

  /// The wall clock, and the media clock at the same instant.
  public var ntp: NTPTime
  public var timestamp: UInt32
  /// Packets since the source began.
  public var packets: UInt32
  /// Their payloads' bytes, without RTP headers.
  public var octets: UInt32

  public init(ntp: NTPTime, timestamp: UInt32, packets: UInt32, octets: UInt32) {
    self.ntp = ntp
    self.timestamp = timestamp
    self.packets = packets
    self.octets = octets
  }

  init?(_ reader: inout ByteReader) {
    guard let high = reader.doubleWord(), let low = reader.doubleWord(), let timestamp = reader.doubleWord(),
      let packets = reader.doubleWord(), let octets = reader.doubleWord()
    else { return nil }
    self.init(
      ntp: NTPTime(value: UInt64(high) << 32 | UInt64(low)), timestamp: timestamp, packets: packets, octets: octets)
  }

  func write(to writer: inout ByteWriter) {
    writer.put(ntp.value)
    writer.put(timestamp)
    writer.put(packets)
    writer.put(octets)
  }

  /// The wall clock at which a frame was captured, in nanoseconds since 1970.
  /// - Parameter timestamp: the frame's.
  public func captureTime(of timestamp: UInt32) -> Int64 {
    let ticks = Int64(Int32(bitPattern: timestamp &- self.timestamp))
    return ntp.unixNanoseconds + ticks * 1_000_000_000 / Int64(MediaClock.rate)
  }
}
