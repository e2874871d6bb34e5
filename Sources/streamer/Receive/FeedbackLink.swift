import LinuxIO
import RTPCore

/// RTCP with the sender that is followed: what it reports, and what is reported to it. Its reports come to the port
/// behind the stream's, or to the same.
struct FeedbackLink: ~Copyable {
  /// At the port behind the stream's, if that can be had.
  private let socket: DatagramSocket
  /// The group's port for reports, where the stream goes to a group.
  private let group: SocketAddress?
  private let isGroup: Bool
  private var rtcp: RTCPReceiver
  /// Where the sender's last report came from; which way reports go there.
  private var sender: (address: SocketAddress, isMuxed: Bool)?
  /// This machine's address that the stream comes to; nil: it comes to a group.
  var localAddress: SocketAddress?
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 2048, alignment: 8)

  /// - Parameter stream: where the stream is received: at an address, or one of each family.
  static func open(_ stream: [SocketAddress], _ log: Log) throws(SystemCallError) -> FeedbackLink {
    FeedbackLink(try socket(after: stream, log), stream[0])
  }

  private init(_ socket: consuming DatagramSocket, _ stream: SocketAddress) {
    self.socket = socket
    isGroup = stream.isMulticast
    group = stream.isMulticast && stream.port < .max ? stream.with(port: stream.port + 1) : nil
    rtcp = RTCPReceiver(isUnicast: !stream.isMulticast)
  }

  private static func socket(after stream: [SocketAddress], _ log: Log) throws(SystemCallError) -> DatagramSocket {
    if stream[0].port < .max {
      let addresses = stream.map { $0.with(port: $0.port + 1) }
      do throws(SystemCallError) { return try DatagramSocket(at: addresses) } catch {
        log.warning("the sender's reports can't be received, but for those that come with the stream: \(error)")
      }
    }
    return try DatagramSocket(at: .any(stream[0].family, port: 0))
  }

  deinit { memory.deallocate() }

  /// For epoll.
  var number: Int32 { socket.number }

  /// When `report` is to be called; nil: no sender is known yet.
  var due: Int64? { rtcp.due }

  var senderReports: UInt64 { rtcp.senderReports }

  var malformed: UInt64 { rtcp.malformed }

  /// The sender is on this machine, so that its wall clock is this one's.
  private(set) var isLocal = false

  /// The sender's wall clock when a frame was captured, in nanoseconds since 1970; nil: it has not told.
  /// - Parameter arrival: of the frame, by CLOCK_MONOTONIC in nanoseconds.
  func captureTime(of timestamp: UInt32, source: UInt32, arrival: Int64) -> Int64? {
    rtcp.captureTime(of: timestamp, source: source, arrival: arrival)
  }

  /// The stream that is followed began then: what was reported before was of another.
  mutating func forgetReport(before begun: Int64) { rtcp.forgetReport(before: begun) }

  /// Reports that did not come from the sender's address, or not from the port that its reports come from.
  private(set) var foreign: UInt64 = 0

  /// Takes all reports that are there.
  /// - Parameter source: whose stream is followed; nil: nobody's yet.
  /// - Returns: whether that source said goodbye.
  mutating func receive(source: StreamSource?) -> Bool {
    var hasEnded = false
    while case .datagram(let bytes, let address) = socket.receive(into: memory) {
      if take(bytes, from: address, isMuxed: false, source: source) { hasEnded = true }
    }
    return hasEnded
  }

  /// Takes a report that came to the stream's port, or to its own. It counts if it comes from the address of the stream's
  /// sender, and from the port of its first report; in a group others report, too.
  /// - Returns: whether the source that is followed said goodbye.
  mutating func take(
    _ bytes: UnsafeRawBufferPointer, from address: SocketAddress, isMuxed: Bool, source: StreamSource?
  ) -> Bool {
    let reporter = TransportAddress(address)
    let isOfSource = source.map { $0.address.host == reporter.host } ?? true
    guard isOfSource || isGroup else {
      foreign += 1
      return false
    }
    let before = senderReports
    let event = rtcp.receive(
      bytes, from: reporter, source: source?.ssrc, isOfSource: isOfSource, now: Clock.monotonic)
    if senderReports > before, sender?.address != address {
      sender = (address, isMuxed)
      isLocal = address.isOfThisMachine
    }
    if event == .foreign { foreign += 1 }
    return event == .ended
  }

  /// Sends a report, if one is due, or the last one.
  /// - Parameter stream: the socket of the stream, for reports that go that way.
  mutating func report(
    _ statistics: ReceptionStatistics, of source: StreamSource?, over stream: borrowing DatagramReceiver,
    isLast: Bool = false
  ) {
    // A report that came before the stream may have been anyone's.
    guard let sender, let source, sender.address.mappedHost == source.address.host else { return }
    let now = Clock.monotonic
    let size =
      isLast
      ? rtcp.goodbye(statistics, of: source.ssrc, now: now, into: memory)
      : rtcp.report(statistics, of: source.ssrc, now: now, into: memory)
    guard size > 0 else { return }
    let bytes = UnsafeRawBufferPointer(rebasing: memory[..<size])
    // A sender takes reports from the address that it sends to, which need not be this machine's first.
    if sender.isMuxed {
      _ = stream.send(bytes, to: sender.address, from: localAddress)
    } else {
      _ = socket.send(bytes, to: group ?? sender.address, from: localAddress)
    }
  }
}
