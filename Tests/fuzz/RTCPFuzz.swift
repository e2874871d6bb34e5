/// RTCP of a network: the input has datagrams, each after its length in two bytes. All go to a sender and to its
/// receiver, who report in between, to each other, too; and from a stranger to a sender that has one receiver. They come a
/// second apart; after one of no bytes passes an hour.
@_cdecl("fuzz_rtcp")
public func fuzzRTCP(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var session = Session()
  var reader = ByteReader(UnsafeRawBufferPointer(start: start, count: count))
  while let length = reader.word(), let datagram = reader.take(min(Int(length), reader.remaining)) {
    withCopy(of: datagram.rest) { session.take(UnsafeRawBufferPointer($0)) }
  }
  session.end()
  return 0
}

private struct Session: ~Copyable {
  private let name = CanonicalName([65, 66, 67])
  private let clock = MediaClock(offset: 7)
  private var ssrc: UInt32 = 0xCAFE
  private var sender: RTCPSender
  /// It must not notice what strangers send: they have its receiver's address with another port, or another address.
  private var deaf: RTCPSender
  private let stranger = TransportAddress(host: SIMD2(0, 2), port: 5001)
  private var receiver = RTCPReceiver(isUnicast: true)
  private var statistics = ReceptionStatistics()
  private var now: Int64 = 1_000_000_000
  private var changes = 0

  init() {
    sender = RTCPSender(name: name, isUnicast: false, now: now, chance: 0.5)
    deaf = RTCPSender(
      name: name, isUnicast: true, receiver: TransportAddress(host: SIMD2(0, 1), port: 5001), now: now, chance: 0.5)
  }

  mutating func take(_ datagram: UnsafeRawBufferPointer) {
    walk(datagram)
    receive(datagram)
    // What a receiver counts, it counts of any numbers.
    if let packet = RTPHeader.read(datagram) {
      _ = statistics.record(packet.header, size: datagram.count, arrival: now)
      if let time = receiver.captureTime(of: packet.header.timestamp, source: ssrc, arrival: now) {
        precondition(time > -1 << 62)
      }
    }
    now += datagram.isEmpty ? 3_600_000_000_000 : 1_000_000_000
    sender.count(packets: 3, octets: 4000)
    report(isLast: false)
  }

  consuming func end() {
    sender.count(packets: 1, octets: 1)
    report(isLast: true)
  }

  /// Both sides receive it.
  private mutating func receive(_ datagram: UnsafeRawBufferPointer) {
    let before = receiver.senderReports
    _ = receiver.receive(datagram, source: ssrc, now: now)
    precondition(receiver.senderReports >= before)
    if case .collision = sender.receive(datagram, from: address(of: datagram), ssrc: ssrc, now: now) {
      ssrc &+= 1
      changes += 1
      sender.restart(now: now)
    }
    precondition(changes <= 4, "forged collisions have it change its SSRC without end")
    let reception = sender.reception
    precondition(reception.receivers <= 256 && reception.roundTrip ?? 0 >= 0)
    let due = deaf.due
    if case .collision = deaf.receive(datagram, from: stranger, ssrc: ssrc, now: now) {
      preconditionFailure("a stranger has it change its SSRC")
    }
    precondition(deaf.reception == RTCPSender.Reception() && deaf.due == due)
    // A day, spread.
    let latest = now + 110_000 * 1_000_000_000
    precondition(sender.due <= latest && receiver.due ?? 0 <= latest)
  }

  /// One of several hosts in the group.
  private func address(of datagram: UnsafeRawBufferPointer) -> TransportAddress {
    TransportAddress(host: SIMD2(1, UInt64(datagram.last ?? 0)), port: UInt16(datagram.count & 0xFFFF))
  }

  /// Both sides report to each other, where it is due.
  private mutating func report(isLast: Bool) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: RTCPSender.largestReport, alignment: 1)
    defer { memory.deallocate() }
    let wall = now + 1_795_000_000_000_000_000
    let reportSize =
      isLast
      ? sender.goodbye(ssrc: ssrc, clock: clock, now: now, realtime: wall, into: memory)
      : sender.report(ssrc: ssrc, clock: clock, now: now, realtime: wall, into: memory, chance: 0.5)
    precondition(reportSize > 0 || !isLast, "a sender that sent says goodbye")
    if reportSize > 0 {
      let bytes = UnsafeRawBufferPointer(rebasing: memory[..<reportSize])
      precondition(walk(bytes) == (isLast ? 3 : 2))
      precondition(RTCPReader(bytes)?.describes(ssrc, as: name) == true)
      receive(bytes)
    }
    let answerSize =
      isLast
      ? receiver.goodbye(statistics, of: ssrc, now: now, into: memory)
      : receiver.report(statistics, of: ssrc, now: now, into: memory, chance: 0.5)
    if answerSize > 0 {
      let bytes = UnsafeRawBufferPointer(rebasing: memory[..<answerSize])
      precondition(walk(bytes) == (isLast ? 3 : 2))
      receive(bytes)
    }
  }

  /// Reads all that is in a datagram.
  /// - Returns: how many packets it has; nil where it is no RTCP.
  @discardableResult private func walk(_ datagram: UnsafeRawBufferPointer) -> Int? {
    guard var reader = RTCPReader(datagram) else { return nil }
    precondition(RTCPHeader.begins(datagram))
    var packets = 0
    while let packet = reader.next() {
      packets += 1
      switch packet {
      case .senderReport(_, let info, let blocks):
        precondition(info.captureTime(of: info.timestamp) == info.ntp.unixNanoseconds)
        precondition(Array(blocks).count <= 31)
      case .receiverReport(_, let blocks): precondition(Array(blocks).count <= 31)
      case .sourceDescription(let chunks):
        var names = 0
        for chunk in chunks { names += chunk.name.map { Array($0).count } ?? 0 }
        precondition(names <= datagram.count)
      case .goodbye(let sources): precondition(Array(sources).count <= 31)
      case .other, .malformed: break
      }
    }
    precondition(packets > 0 && packets <= datagram.count / 4)
    return packets
  }
}
