/// The stream whose packets are taken: a source, and how far its sequence numbers and timestamps have come. It tells the
/// stream's next packets from forged ones and from those of a sender that restarted (RFC 3550, A.1).
struct FollowedStream: Sendable {
  let source: StreamSource
  /// Two of its packets came in a row (A.1: MIN_SEQUENTIAL).
  private(set) var isProven = false
  /// The source said goodbye, and nothing newer came after that.
  var hasEnded = false
  /// Another source took its place, as a sender that restarted does, and this stream went on: that sender was another.
  var isContested = false
  /// The highest sequence number, and the timestamp of its packet.
  private var sequence: UInt16
  private var timestamp: UInt32
  /// That packet was its frame's last.
  private var isBetweenFrames: Bool
  /// The sender's timestamps went back by a little, in sequence.
  private var goesBack = false
  /// CLOCK_MONOTONIC in nanoseconds: of the first packet, of the last packet, of the first packet of the newest frame, and
  /// of the last whole frame.
  private let begun: Int64
  private var seen: Int64
  private var frameBegun: Int64
  private var frameSeen: Int64?
  /// Nanoseconds from a frame to the next: it rises at once, and falls by an eighth a frame. At most `maximumInterval`.
  private var interval: Int64 = 0
  private var packets = 0
  private var lateRun: LateRun?

  /// The most packets that may be missing in a row, and the latest that a packet may come (A.1: MAX_DROPOUT, MAX_MISORDER).
  private static let maximumDropout = 3000
  private static let maximumMisorder = 100
  /// By how much a timestamp may advance more than the time that passed: one second of the 90 kHz clock.
  private static let maximumLead: Int64 = 90_000
  /// By how much a late packet's timestamp may lie before the newest: as much, or a frame where frames are rarer.
  private static let maximumDelay: Int64 = 90_000
  /// Nanoseconds without a whole frame after which another stream may take its place.
  private static let maximumFrameGap: Int64 = 3_000_000_000
  /// The same without a packet: this many frame intervals, within these limits.
  private static let stallIntervals: Int64 = 4
  private static let minimumStall: Int64 = 1_000_000_000
  private static let maximumInterval: Int64 = 15_000_000_000 / stallIntervals
  /// Nanoseconds after a packet in which the next one is not late, or a frame interval where that is longer.
  private static let minimumPause: Int64 = 100_000_000

  init(_ source: StreamSource, _ header: RTPHeader, arrival: Int64) {
    self.source = source
    sequence = header.sequence
    timestamp = header.timestamp
    isBetweenFrames = header.marker
    begun = arrival
    seen = arrival
    frameBegun = arrival
  }

  /// It had a whole frame.
  var hasFrame: Bool { frameSeen != nil }

  /// Whether a packet belongs to the stream: in order, it may not leave out too much, and its timestamp may not lie
  /// before that of the packet before it; out of order, the reverse. The packets of one frame may have any order. Of a sender
  /// whose timestamps go back by a little, in the next packets' sequence, they may lie on either side.
  func isContinued(by header: RTPHeader, of source: StreamSource, arrival: Int64) -> Bool {
    guard source == self.source else { return false }
    let distance = distance(to: header)
    let advance = Int64(Int32(bitPattern: header.timestamp &- timestamp))
    if distance > 0 {
      if advance < 0 { return distance <= Self.maximumMisorder && isLittle(advance) }
      guard distance < Self.maximumDropout || distance < largestDropout(arrival) else { return false }
      return advance <= Self.maximumLead || advance <= largestAdvance(arrival)
    }
    if advance == 0 { return distance > -Self.maximumDropout }
    return (advance < 0 || goesBack) && distance >= -Self.maximumMisorder && isLittle(advance)
  }

  /// Whether timestamps differ by no more than a late packet's from the newest.
  private func isLittle(_ advance: Int64) -> Bool {
    abs(advance) <= max(Self.maximumDelay, MediaClock.ticks(at: interval))
  }

  /// Whether the stream goes on with a packet: one that belongs to it, and is not late.
  func goesOn(with header: RTPHeader, of source: StreamSource, arrival: Int64) -> Bool {
    isContinued(by: header, of: source, arrival: arrival) && distance(to: header) > 0
  }

  /// Takes note of a packet that belongs to the stream.
  /// - Returns: whether it is the first of the sender's stream after a restart, for which the last ones were taken as late.
  mutating func advance(to header: RTPHeader, arrival: Int64) -> Bool {
    packets += 1
    seen = max(seen, arrival)
    let distance = distance(to: header)
    guard distance > 0 else {
      if let hasRestarted = lateRun?.add(header, arrival: arrival, interval: interval) { return hasRestarted }
      lateRun = LateRun(header, arrival: arrival)
      return false
    }
    lateRun = nil
    hasEnded = false
    if distance == 1 { isProven = true }
    if header.timestamp != timestamp || isBetweenFrames { beginFrame(arrival) }
    if Int32(bitPattern: header.timestamp &- timestamp) < 0 { goesBack = true }
    sequence = header.sequence
    timestamp = header.timestamp
    isBetweenFrames = header.marker
    return false
  }

  /// Its last packet was no part of its frame: as long as it has no whole one, such packets do not prove a stream.
  mutating func noteMalformed() { if !hasFrame { isProven = false } }

  mutating func completeFrame(arrival: Int64) { frameSeen = max(frameSeen ?? arrival, arrival) }

  private mutating func beginFrame(_ arrival: Int64) {
    let last = max(0, arrival &- frameBegun)
    interval = min(Self.maximumInterval, max(last, interval - (interval - last) / 8))
    frameBegun = arrival
  }

  /// Whether it keeps its place when another stream comes. Packets alone do not keep it: those of a sender that never
  /// completes a frame must not lock out one that does.
  func isAlive(_ arrival: Int64) -> Bool {
    let maximumStall = max(Self.minimumStall, Self.stallIntervals * interval)
    guard isProven, !isOver(arrival), arrival &- seen <= maximumStall else { return false }
    let sinceFrame = arrival &- (frameSeen ?? begun)
    return sinceFrame <= Self.maximumFrameGap || hasFrame && sinceFrame <= maximumStall
  }

  /// Whether a goodbye is to be believed. A sender says it after a frame's last packet.
  func isOver(_ arrival: Int64) -> Bool { hasEnded && isPausing(arrival) }

  /// Whether two packets in sequence of another source take its place.
  func givesWay(to other: StreamSource, _ arrival: Int64) -> Bool {
    if !isAlive(arrival) { return true }
    return other.mayBeRestart(of: source) && !isContested && isPausing(arrival)
  }

  /// Whether no packet is due at this moment: no frame is lost if another stream takes its place now, and it goes on later.
  private func isPausing(_ arrival: Int64) -> Bool { isBetweenFrames || arrival &- seen >= interval / 2 }

  /// Whether its next packet is not late yet. A busy machine may receive it some time after it came.
  func isArriving(_ now: Int64) -> Bool { !hasEnded && now &- seen <= max(Self.minimumPause, interval) }

  private func distance(to header: RTPHeader) -> Int { Int(Int16(bitPattern: header.sequence &- sequence)) }

  /// RFC 3550's limit is right for slow streams. Of a fast one more can be lost: twice what it sends in the time passed.
  private func largestDropout(_ arrival: Int64) -> Int {
    let rate = Double(packets) / Double(max(1_000_000_000, seen &- begun))
    return max(Self.maximumDropout, Int(min(32_768, 2 * rate * Double(max(0, arrival &- seen)))))
  }

  private func largestAdvance(_ arrival: Int64) -> Int64 { MediaClock.ticks(at: arrival &- seen) + Self.maximumLead }
}
