/// Packets of a stream that arrived after newer ones, each with the sequence number after the previous one's. A network
/// delays a few packets. A sender that restarts a little before its last sequence number sends on like this.
struct LateRun: Sendable {
  private var sequence: UInt16
  private var timestamp: UInt32
  private let first: (timestamp: UInt32, arrival: Int64)
  private var frames = 1

  init(_ header: RTPHeader, arrival: Int64) {
    sequence = header.sequence
    timestamp = header.timestamp
    first = (header.timestamp, arrival)
  }

  /// Adds a late packet; one out of sequence begins another run.
  /// - Returns: whether the sender restarted: the packet is a third frame's first, and the frames arrived at the pace of
  ///   their timestamps. Delayed packets arrive all at once.
  mutating func add(_ header: RTPHeader, arrival: Int64) -> Bool {
    let advance = Int32(bitPattern: header.timestamp &- timestamp)
    guard header.sequence == sequence &+ 1, advance >= 0 else {
      self = LateRun(header, arrival: arrival)
      return false
    }
    sequence = header.sequence
    timestamp = header.timestamp
    guard advance > 0 else { return false }
    frames += 1
    // Half of the pace is enough: the network has jitter.
    let elapsed = MediaClock.ticks(at: arrival &- first.arrival)
    return frames >= 3 && elapsed >= Int64(timestamp &- first.timestamp) / 2
  }
}
