import LinuxIO
import RTPCore

/// RTCP of a stream: when its receivers are sent reports, what they send, and when the stream goes on as another source.
struct SenderReports: ~Copyable {
  /// The first frame was begun.
  private(set) var hasBegun = false
  /// A sender report was sent after the newest receiver's first packet.
  private(set) var hasReported = false
  /// Another source was heard with this stream's SSRC.
  private(set) var hasCollided = false
  private var lastCollision = Int64.min / 2
  /// For reports, one at a time.
  private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: ReportLink.scratchSize, alignment: 8)

  deinit { scratch.deallocate() }

  /// The source of the reports.
  struct Source {
    let ssrc: UInt32
    let clock: MediaClock
  }

  /// The first frame is here.
  mutating func begin(_ receivers: inout DestinationList) {
    hasBegun = true
    let now = Clock.monotonic
    receivers.updateAll { $0.reports.start(now: now) }
  }

  /// A receiver was added.
  mutating func add(_ index: Int, _ receivers: inout DestinationList) {
    guard hasBegun else { return }
    let now = Clock.monotonic
    receivers.update(index) { $0.reports.start(now: now) }
    // After its first packets.
    hasReported = false
  }

  /// Sends the receivers the reports that are due.
  mutating func send(
    to receivers: inout DestinationList, from source: Source, _ events: borrowing LoopEvents
  ) throws(SystemCallError) {
    hasReported = true
    let time = Clock.pair
    let scratch = scratch
    receivers.updateAll { $0.reports.report(ssrc: source.ssrc, clock: source.clock, time: time, scratch: scratch) }
    try wait(receivers, events)
  }

  private func wait(_ receivers: borrowing DestinationList, _ events: borrowing LoopEvents) throws(SystemCallError) {
    var next = Int64.max
    for index in 0..<receivers.count { next = min(next, receivers[index].reports.due ?? .max) }
    try events.waitToReport(at: next)
  }

  /// Receives a datagram of a receiver.
  mutating func receive(
    _ index: Int, _ receivers: inout DestinationList, ssrc: UInt32, _ events: borrowing LoopEvents
  ) -> ReportLink.Heard {
    let scratch = scratch
    let heard = receivers.update(index) { $0.reports.hear(ssrc: ssrc, scratch: scratch) }
    // Who leaves brings the next report nearer.
    if hasReported { try? wait(receivers, events) }
    // Once in a while: who sends such reports without end must not have the stream begin again without end.
    if case .collision = heard, Clock.monotonic - lastCollision > 10_000_000_000 { hasCollided = true }
    return heard
  }

  /// The stream goes on under another SSRC (RFC 3550, 8.2): ends this source.
  mutating func endSource(_ receivers: inout DestinationList, _ source: Source) {
    hasCollided = false
    let time = Clock.pair
    lastCollision = time.monotonic
    sayGoodbye(&receivers, source, time)
    receivers.updateAll { $0.reports.restart(now: time.monotonic) }
    hasReported = false
  }

  /// Ends the source for all receivers.
  func sayGoodbye(
    _ receivers: inout DestinationList, _ source: Source, _ time: (monotonic: Int64, realtime: Int64) = Clock.pair
  ) {
    for index in 0..<receivers.count { sayGoodbye(to: index, &receivers, source, time) }
  }

  func sayGoodbye(
    to index: Int, _ receivers: inout DestinationList, _ source: Source,
    _ time: (monotonic: Int64, realtime: Int64) = Clock.pair
  ) {
    let scratch = scratch
    receivers.update(index) {
      $0.reports.sayGoodbye(ssrc: source.ssrc, clock: source.clock, time: time, scratch: scratch)
    }
  }
}
