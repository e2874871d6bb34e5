/// The stream whose packets are taken: a source, and how far its sequence numbers and timestamps have come. It tells the
/// stream's next packets from forged ones and from those of a sender that restarted (RFC 3550, A.1).
struct FollowedStream: Sendable {
  let source: StreamSource
  /// Two of its packets came in a row (A.1: MIN_SEQUENTIAL).
  private(set) var isProven = false
  /// The source said goodbye.
  var hasEnded = false
  /// The highest sequence number, and the timestamp of its packet.
  private var sequence: UInt16
  private var timestamp: UInt32
  /// CLOCK_MONOTONIC in nanoseconds: of the first packet, of the last packet, and of the last whole frame.
  let begun: Int64
  private var seen: Int64
  private var frameSeen: Int64
  private var packets = 0

  /// The most packets that may be missing in a row, and the latest that a packet may come (A.1: MAX_DROPOUT, MAX_MISORDER).
  private static let maximumDropout = 3000
  private static let maximumMisorder = 100
  /// By how much a timestamp may advance more than the time that passed: one second of the 90 kHz clock.
  private static let maximumLead: Int64 = 90_000
  /// Nanoseconds without a packet, and without a whole frame, after which another stream may take its place.
  private static let maximumSilence: Int64 = 1_000_000_000
  private static let maximumFrameGap: Int64 = 3_000_000_000

  init(_ source: StreamSource, _ header: RTPHeader, arrival: Int64) {
    self.source = source
    sequence = header.sequence
    timestamp = header.timestamp
    begun = arrival
    seen = arrival
    frameSeen = arrival
  }

  /// Whether a packet belongs to the stream: in order, it may not leave out too much, and its timestamp may not lie
  /// before that of the packet before it; out of order, the reverse. The packets of one frame may have any order.
  func isContinued(by header: RTPHeader, of source: StreamSource, arrival: Int64) -> Bool {
    guard source == self.source else { return false }
    let distance = distance(to: header)
    let advance = Int64(Int32(bitPattern: header.timestamp &- timestamp))
    if distance > 0 {
      guard advance >= 0, distance < Self.maximumDropout || distance < largestDropout(arrival) else { return false }
      return advance <= Self.maximumLead || advance <= largestAdvance(arrival)
    }
    return advance == 0 ? distance > -Self.maximumDropout : advance < 0 && distance >= -Self.maximumMisorder
  }

  /// Takes note of a packet that belongs to the stream.
  mutating func advance(to header: RTPHeader, arrival: Int64) {
    packets += 1
    seen = max(seen, arrival)
    hasEnded = false
    let distance = distance(to: header)
    guard distance > 0 else { return }
    if distance == 1 { isProven = true }
    sequence = header.sequence
    timestamp = header.timestamp
  }

  mutating func completeFrame(arrival: Int64) { frameSeen = max(frameSeen, arrival) }

  /// Whether it keeps its place when another stream comes. Packets alone do not keep it: those of a sender that never
  /// completes a frame must not lock out one that does.
  func isAlive(_ arrival: Int64) -> Bool {
    isProven && !hasEnded && arrival &- seen <= Self.maximumSilence && arrival &- frameSeen <= Self.maximumFrameGap
  }

  private func distance(to header: RTPHeader) -> Int { Int(Int16(bitPattern: header.sequence &- sequence)) }

  /// RFC 3550's limit is right for slow streams. Of a fast one more can be lost: twice what it sends in the time passed.
  private func largestDropout(_ arrival: Int64) -> Int {
    let rate = Double(packets) / Double(max(1_000_000_000, seen &- begun))
    return max(Self.maximumDropout, Int(min(32_768, 2 * rate * Double(max(0, arrival &- seen)))))
  }

  private func largestAdvance(_ arrival: Int64) -> Int64 {
    max(0, arrival &- seen) / 100_000 * 9 + Self.maximumLead
  }
}
