/// A sender's side of RTCP (RFC 3550, 6) towards one address, a receiver's or a group's: what it reports, and what is
/// reported of it. Clocks are passed in: CLOCK_MONOTONIC in nanoseconds, unless it says otherwise.
public struct RTCPSender: Sendable {
  /// What a datagram meant for the sender.
  public enum Event: Sendable {
    case none
    /// Another one has this source's SSRC.
    case collision
  }

  /// Packets that were no RTCP.
  public private(set) var malformed: UInt64 = 0
  /// Datagrams that came from another host or port than the receiver's.
  public private(set) var foreign: UInt64 = 0

  private let name: CanonicalName
  /// Where its reports come from; nil: a group, in which anyone may report.
  private let receiver: TransportAddress?
  /// When a report last came from the receiver's port.
  private var portReportedAt: Int64?
  private var conflicts = Conflicts()
  private var timer: ReportTimer
  private var members = Members()
  private var packets: UInt32 = 0
  private var octets: UInt64 = 0
  /// Packets at the last report, and at the one before it.
  private var reported: (last: UInt32, before: UInt32) = (0, 0)
  private var bandwidth = Bandwidth()
  private var recent = RecentReports()

  /// Bytes that a report takes at most, of a name of 255 bytes.
  public static let largestReport = 512

  /// - Parameters:
  ///   - isUnicast: there is one receiver: the first report leaves at once, and only its own reports count. Else it is a
  ///     group, in which anyone may report.
  ///   - receiver: where RTCP is sent.
  ///   - chance: 0 to 1.
  public init(
    name: CanonicalName, isUnicast: Bool, receiver: TransportAddress = TransportAddress(), now: Int64,
    chance: Double = .random(in: 0...1)
  ) {
    self.name = name
    self.receiver = isUnicast ? receiver : nil
    timer = ReportTimer(now: now, isUnicast: isUnicast, chance: chance)
  }

  /// The first packet is sent now, from which on reports are due.
  /// - Parameter chance: 0 to 1.
  public mutating func begin(now: Int64, chance: Double = .random(in: 0...1)) {
    timer = ReportTimer(now: now, isUnicast: receiver != nil, chance: chance)
  }

  /// When `report` is to be called again.
  public var due: Int64 { timer.due }

  /// Counts packets that were sent.
  /// - Parameter octets: of their payloads, without RTP headers.
  @inline(__always)
  public mutating func count(packets: Int, octets: Int) {
    self.packets &+= UInt32(truncatingIfNeeded: packets)
    self.octets &+= UInt64(truncatingIfNeeded: octets)
  }

  /// Writes a report, if one is due: a sender's where it sent packets since the report before the last.
  /// - Parameters:
  ///   - realtime: CLOCK_REALTIME at the instant `now`, in nanoseconds.
  ///   - clock: of the stream's timestamps.
  /// - Returns: its bytes; 0: it is not due yet.
  public mutating func report(
    ssrc: UInt32, clock: MediaClock, now: Int64, realtime: Int64, into memory: UnsafeMutableRawBufferPointer,
    chance: Double = .random(in: 0...1)
  ) -> Int {
    if members.removeSilent(since: now - timer.timeout(load)) { timer.left(now, members: members.count) }
    bandwidth.measure(octets, now)
    guard timer.isDue(now, load, chance: chance) else { return 0 }
    let size = write(ssrc, clock, now, realtime, memory, isLast: false)
    timer.sent(now, size: size, load, chance: chance)
    reported = (packets, reported.last)
    return size
  }

  /// Writes the report that ends the source.
  /// - Returns: its bytes; 0: nothing was ever sent, so nothing is to be ended (6.3.7).
  public mutating func goodbye(
    ssrc: UInt32, clock: MediaClock, now: Int64, realtime: Int64, into memory: UnsafeMutableRawBufferPointer
  ) -> Int {
    packets == 0 ? 0 : write(ssrc, clock, now, realtime, memory, isLast: true)
  }

  /// The stream goes on as another source (8.2).
  public mutating func restart(now: Int64) {
    conflicts.resolve()
    packets = 0
    octets = 0
    reported = (0, 0)
    bandwidth = Bandwidth()
    timer = ReportTimer(now: now, isUnicast: true, chance: 0)
  }

  /// Takes a datagram from the receivers.
  /// - Parameters:
  ///   - address: where it came from.
  ///   - ssrc: the stream's.
  public mutating func receive(
    _ datagram: UnsafeRawBufferPointer, from address: TransportAddress = TransportAddress(), ssrc: UInt32, now: Int64
  ) -> Event {
    guard isExpected(address, now) else {
      foreign += 1
      return .none
    }
    guard let reader = RTCPReader(datagram) else {
      malformed += 1
      return .none
    }
    // Multicast loops our own packets back to us.
    if reader.describes(ssrc, as: name) { return .none }
    let isFromPort = address.port == receiver?.port
    // What came from another port before the receiver's own reports was not the receiver's.
    if isFromPort, portReportedAt == nil { members.removeAll() }
    defer { if isFromPort { portReportedAt = members.list.isEmpty ? nil : now } }
    // From another port it may be anyone on the receiver's host.
    let mayCollide = isFromPort || receiver == nil
    var packets = reader
    while let packet = packets.next() {
      switch packet {
      case .senderReport(let other, _, let blocks), .receiverReport(let other, let blocks):
        if other == ssrc { return mayCollide && conflicts.isNew(address) ? .collision : .none }
        note(other, address, now)
        for block in blocks where block.ssrc == ssrc { note(other, address, now, block) }
      case .sourceDescription(let chunks):
        if chunks.contains(where: { $0.ssrc == ssrc }) {
          return mayCollide && conflicts.isNew(address) ? .collision : .none
        }
      case .goodbye(let sources):
        for other in sources where members.remove(other, from: address.host) { timer.left(now, members: members.count) }
      case .other: break
      case .malformed: malformed += 1
      }
    }
    timer.average(datagram.count)
    return .none
  }

  /// How the stream is received.
  public var reception: Reception {
    var reception = Reception()
    for receiver in members.list {
      guard let block = receiver.block else { continue }
      reception.receivers += 1
      reception.fractionLost = max(reception.fractionLost, block.fractionLost)
      reception.lost = max(reception.lost, block.lost)
      reception.jitter = max(reception.jitter, block.jitter)
      if let time = receiver.roundTrip { reception.roundTrip = max(reception.roundTrip ?? 0, time) }
    }
    return reception
  }
}

extension RTCPSender {
  /// Whether a datagram may count. A receiver reports from its own host, and from the port that RTCP is sent to; where it
  /// does not use that port, any other will do.
  private func isExpected(_ address: TransportAddress, _ now: Int64) -> Bool {
    guard let receiver else { return true }
    guard address.host == receiver.host else { return false }
    if address.port == receiver.port { return true }
    return portReportedAt.map { now - $0 > timer.timeout(load) } ?? true
  }

  private mutating func note(_ other: UInt32, _ address: TransportAddress, _ now: Int64) {
    members.note(other, from: address.host, now)
  }

  /// From a group, or from another port than the receiver's, a report counts if it answers one of this sender's own: others
  /// do not come from those who receive them.
  private mutating func note(_ other: UInt32, _ address: TransportAddress, _ now: Int64, _ block: ReportBlock) {
    let roundTrip = roundTrip(block, now)
    guard roundTrip != nil || receiver.map({ $0.port == address.port }) ?? false else { return }
    members.note(other, from: address.host, now, block, roundTrip: roundTrip)
  }

  /// What the receivers tell of a stream; of several the worst.
  public struct Reception: Equatable, Sendable {
    public var receivers = 0
    /// Since the report before, in 1/256.
    public var fractionLost: UInt8 = 0
    /// Packets since the beginning.
    public var lost: Int32 = 0
    /// In timestamp units (1/90,000 s).
    public var jitter: UInt32 = 0
    /// Nanoseconds.
    public var roundTrip: Int64?

    public init() {}
  }

  private var load: ReportTimer.Load {
    let isSender = packets != reported.before
    return .init(
      members: members.count, senders: isSender ? 1 : 0, isSender: isSender, bandwidth: bandwidth.value)
  }

  private mutating func write(
    _ ssrc: UInt32, _ clock: MediaClock, _ now: Int64, _ realtime: Int64, _ memory: UnsafeMutableRawBufferPointer,
    isLast: Bool
  ) -> Int {
    var writer = ByteWriter(memory)
    if load.isSender {
      let words = UInt16(4 + SenderInfo.size) / 4
      RTCPHeader(count: 0, type: RTCPHeader.senderReport, words: words).write(to: &writer)
      writer.put(ssrc)
      let ntp = NTPTime(unixNanoseconds: realtime)
      SenderInfo(
        ntp: ntp, timestamp: clock.timestamp(at: now), packets: packets, octets: UInt32(truncatingIfNeeded: octets)
      ).write(to: &writer)
      recent.add(ntp.middle, at: now)
    } else {
      RTCPHeader(count: 0, type: RTCPHeader.receiverReport, words: 1).write(to: &writer)
      writer.put(ssrc)
    }
    name.write(of: ssrc, to: &writer)
    if isLast {
      RTCPHeader(count: 1, type: RTCPHeader.goodbye, words: 1).write(to: &writer)
      writer.put(ssrc)
    }
    return writer.isFull ? 0 : writer.count
  }

  /// How long a report took to be answered, without the time that the receiver took (6.4.1).
  private func roundTrip(_ block: ReportBlock, _ now: Int64) -> Int64? {
    guard let sent = recent.time(of: block.lastReport) else { return nil }
    // The receiver's time is in 1/65536 s, so that it can be a little more than there was.
    return max(0, now - sent - (Int64(block.delay) * 1_000_000_000) >> 16)
  }
}

/// When the last reports left, by the names that answers give them: a round trip does not depend on the wall clock.
private struct RecentReports: Sendable {
  private typealias Report = (time: Int64, name: UInt32)
  /// The newest first. No vector of times: its alignment would have each receiver take more memory.
  private var reports: (Report, Report, Report, Report) = ((0, 0), (0, 0), (0, 0), (0, 0))

  mutating func add(_ name: UInt32, at time: Int64) {
    reports = ((time, name), reports.0, reports.1, reports.2)
  }

  func time(of name: UInt32) -> Int64? {
    switch name {
    case 0: nil
    case reports.0.name: reports.0.time
    case reports.1.name: reports.1.time
    case reports.2.name: reports.2.time
    case reports.3.name: reports.3.time
    default: nil
    }
  }
}
