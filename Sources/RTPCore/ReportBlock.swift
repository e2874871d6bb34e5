/// What a receiver tells of one source (RFC 3550, 6.4.1).
///
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                 SSRC_1 (SSRC of first source)                 |
///     | fraction lost |       cumulative number of packets lost       |
///     |           extended highest sequence number received           |
///     |                      interarrival jitter                      |
///     |                         last SR (LSR)                         |
///     |                   delay since last SR (DLSR)                  |
public struct ReportBlock: Equatable, Sendable {
  static let size = 24

  /// The source that it is about.
  public var ssrc: UInt32
  /// Of the packets since the last report, in 1/256.
  public var fractionLost: UInt8
  /// Packets since the beginning: 24 bits with sign; duplicates make it smaller.
  public var lost: Int32
  public var highestSequence: UInt32
  /// In timestamp units.
  public var jitter: UInt32
  /// The middle of the last sender report's NTP time; 0: none came.
  public var lastReport: UInt32
  /// Since that came, in 1/65536 s.
  public var delay: UInt32

  public init(
    ssrc: UInt32, fractionLost: UInt8 = 0, lost: Int32 = 0, highestSequence: UInt32 = 0, jitter: UInt32 = 0,
    lastReport: UInt32 = 0, delay: UInt32 = 0
  ) {
    self.ssrc = ssrc
    self.fractionLost = fractionLost
    self.lost = lost
    self.highestSequence = highestSequence
    self.jitter = jitter
    self.lastReport = lastReport
    self.delay = delay
  }

  init?(_ reader: inout ByteReader) {
    guard let ssrc = reader.doubleWord(), let losses = reader.doubleWord(), let highest = reader.doubleWord(),
      let jitter = reader.doubleWord(), let lastReport = reader.doubleWord(), let delay = reader.doubleWord()
    else { return nil }
    self.init(
      ssrc: ssrc, fractionLost: UInt8(losses >> 24), lost: Int32(bitPattern: losses << 8) >> 8,
      highestSequence: highest, jitter: jitter, lastReport: lastReport, delay: delay)
  }

  func write(to writer: inout ByteWriter) {
    writer.put(ssrc)
    let lost = min(max(lost, -0x80_0000), 0x7F_FFFF)
    writer.put(UInt32(fractionLost) << 24 | UInt32(bitPattern: lost) & 0xFF_FFFF)
    writer.put(highestSequence)
    writer.put(jitter)
    writer.put(lastReport)
    writer.put(delay)
  }
}
