/// A receiver's side of RTCP (RFC 3550, 6): what the source it follows reports, and what it reports of it. Clocks are
/// passed in: CLOCK_MONOTONIC in nanoseconds, unless it says otherwise.
public struct RTCPReceiver: Sendable {
  /// Reports of the source that is followed.
  public private(set) var senderReports: UInt64 = 0
  /// Packets that were no RTCP.
  public private(set) var malformed: UInt64 = 0

  private let name = CanonicalName()
  private var ssrc = UInt32.random(in: 0 ... .max)
  private var timer: ReportTimer?
  /// The last report of the source that is followed. The next ones must come from the same address.
  private var last: (ssrc: UInt32, address: TransportAddress, info: SenderInfo, arrival: Int64)?
  private var before = (ssrc: UInt32(0), expected: UInt64(0), received: UInt64(0))
  private var bandwidth = Bandwidth()
  private var hasReported = false
  private var members = Members()
  private let isUnicast: Bool

  /// By how much a timestamp may differ from what a report and the time since then promise: late frames, clocks that
  /// drift. Nanoseconds.
  private static let maximumSkew: Int64 = 10_000_000_000
  /// How long before a stream's first packet its first report may come.
  private static let maximumEarliness: Int64 = 10_000_000
  /// Nanoseconds without a report after which reports may come from another port: five intervals (6.3.5).
  private static let reporterTimeout: Int64 = 25_000_000_000

  /// - Parameter isUnicast: the first report leaves at once, behind the source's.
  public init(isUnicast: Bool) { self.isUnicast = isUnicast }

  /// What a datagram meant for the receiver.
  public enum Event: Equatable, Sendable {
    case none
    /// It speaks for the source that is followed, but does not come from where that one's reports come from.
    case foreign
    /// The source that was followed ended.
    case ended
  }

  /// When `report` is to be called again; nil: no source is known yet.
  public var due: Int64? { timer?.due }

  /// Takes a datagram of the source's side.
  /// - Parameters:
  ///   - source: whose packets are followed; nil: nobody's yet.
  ///   - isOfSource: it comes from the host of that source; in a group there are others.
  public mutating func receive(
    _ datagram: UnsafeRawBufferPointer, from address: TransportAddress = TransportAddress(), source: UInt32?,
    isOfSource: Bool = true, now: Int64
  ) -> Event {
    guard var reader = RTCPReader(datagram) else {
      malformed += 1
      return .none
    }
    if reader.describes(ssrc, as: name) { return .none }
    var event = Event.none
    while let packet = reader.next() {
      switch packet {
      case .senderReport(let other, let info, _):
        note(other, address, now)
        guard isOfSource, source == nil || source == other else { continue }
        guard isReporter(address, of: other, now) else { return .foreign }
        senderReports += 1
        last = (other, address, info, now)
        if timer == nil { timer = ReportTimer(now: now, isUnicast: isUnicast, chance: .random(in: 0...1)) }
      case .receiverReport(let other, _): note(other, address, now)
      case .goodbye(let sources):
        for other in sources {
          if isOfSource, other == source {
            guard isReporter(address, of: other, now) else { return .foreign }
            event = .ended
          }
          if members.remove(other, from: address.host) { timer?.left(now, members: members.count) }
        }
      case .sourceDescription, .other: break
      case .malformed: malformed += 1
      }
    }
    timer?.average(datagram.count)
    return event
  }

  /// Forgets the report of a stream that another one followed, such as that of its sender before a restart.
  /// - Parameter begun: when the first packet of the stream that is followed now came.
  public mutating func forgetReport(before begun: Int64) {
    if let last, last.arrival < begun &- Self.maximumEarliness { self.last = nil }
  }

  /// The wall clock of the sender at which a frame was captured, in nanoseconds since 1970; nil where no report told, or
  /// where the timestamp does not belong to the report's clock.
  /// - Parameters:
  ///   - timestamp: the frame's.
  ///   - source: whose it is.
  ///   - arrival: of the frame.
  public func captureTime(of timestamp: UInt32, source: UInt32, arrival: Int64) -> Int64? {
    guard let last, last.ssrc == source else { return nil }
    let captured = last.info.captureTime(of: timestamp)
    let skew = captured &- last.info.ntp.unixNanoseconds &- (arrival &- last.arrival)
    return (-Self.maximumSkew...Self.maximumSkew).contains(skew) ? captured : nil
  }

  /// Writes a report, if one is due.
  /// - Returns: its bytes; 0: it is not due yet.
  public mutating func report(
    _ statistics: ReceptionStatistics, of source: UInt32, now: Int64, into memory: UnsafeMutableRawBufferPointer,
    chance: Double = .random(in: 0...1)
  ) -> Int {
    bandwidth.measure(statistics.bytes, now)
    let load = load
    if let timeout = timer?.timeout(load), members.removeSilent(since: now - timeout) {
      timer?.left(now, members: members.count)
    }
    guard timer?.isDue(now, load, chance: chance) ?? false else { return 0 }
    let size = write(statistics, source, now, memory, isLast: false)
    timer?.sent(now, size: size, load, chance: chance)
    hasReported = true
    return size
  }

  /// Writes the report that ends it.
  /// - Returns: its bytes; 0: nothing was ever sent, so nothing is to be ended (6.3.7).
  public mutating func goodbye(
    _ statistics: ReceptionStatistics, of source: UInt32, now: Int64, into memory: UnsafeMutableRawBufferPointer
  ) -> Int {
    hasReported ? write(statistics, source, now, memory, isLast: true) : 0
  }

  private var load: ReportTimer.Load {
    return .init(
      members: members.count, senders: 1, isSender: false, bandwidth: bandwidth.value)
  }

  private mutating func write(
    _ statistics: ReceptionStatistics, _ source: UInt32, _ now: Int64, _ memory: UnsafeMutableRawBufferPointer,
    isLast: Bool
  ) -> Int {
    var writer = ByteWriter(memory)
    RTCPHeader(count: 1, type: RTCPHeader.receiverReport, words: UInt16(4 + ReportBlock.size) / 4).write(to: &writer)
    writer.put(ssrc)
    block(statistics, source, now).write(to: &writer)
    name.write(of: ssrc, to: &writer)
    if isLast {
      RTCPHeader(count: 1, type: RTCPHeader.goodbye, words: 1).write(to: &writer)
      writer.put(ssrc)
    }
    return writer.isFull ? 0 : writer.count
  }

  /// By A.3: what is lost is what the numbers promise less what came, duplicates too.
  private mutating func block(_ statistics: ReceptionStatistics, _ source: UInt32, _ now: Int64) -> ReportBlock {
    let (expected, received) = (statistics.expected, statistics.received)
    if before.ssrc != source || expected < before.expected { before = (source, 0, 0) }
    let promised = Int64(expected - before.expected)
    let missing = promised - Int64(received - min(received, before.received))
    before = (source, expected, received)
    var block = ReportBlock(
      ssrc: source, fractionLost: promised > 0 ? UInt8(clamping: max(0, missing) << 8 / promised) : 0,
      lost: Int32(clamping: Int64(expected) - Int64(received)), highestSequence: statistics.highestSequence,
      jitter: statistics.jitter)
    if let last, last.ssrc == source {
      block.lastReport = last.info.ntp.middle
      // Of microseconds, which 16 bits more do not push out.
      block.delay = UInt32(clamping: ((now - last.arrival) / 1000) << 16 / 1_000_000)
    }
    return block
  }

  /// Whether a source's reports come from this address. The first one may come from any port: a NAT chooses it.
  private func isReporter(_ address: TransportAddress, of source: UInt32, _ now: Int64) -> Bool {
    guard let last, last.ssrc == source, last.address.host == address.host else { return true }
    return last.address == address || now &- last.arrival > Self.reporterTimeout
  }

  /// Another reported. Where it has this one's identifier, this one takes another (8.2).
  private mutating func note(_ other: UInt32, _ address: TransportAddress, _ now: Int64) {
    while ssrc == other { ssrc = .random(in: 0 ... .max) }
    members.note(other, from: address.host, now)
  }
}
