/// Packets of a stream that arrived after newer ones, each with the sequence number after the previous one's. A network
/// delays a few packets. A sender that restarts a little before its last sequence number sends on like this.
struct LateRun: Sendable {
  private var sequence: UInt16
  private var timestamp: UInt32
  private let first: (timestamp: UInt32, arrival: Int64)
  private var frames = 1
  /// The last packet was its frame's last.
  private var isBetweenFrames: Bool

  init(_ header: RTPHeader, arrival: Int64) {
    isBetweenFrames = header.marker
    sequence = header.sequence
    timestamp = header.timestamp
    first = (header.timestamp, arrival)
  }

  /// Adds a late packet; one out of sequence begins another run.
  /// - Parameter interval: nanoseconds from a frame to the next, for a sender whose timestamps stand still.
  /// - Returns: whether the sender restarted: the packet is a third frame's first, and the frames arrived at the pace of
  ///   their timestamps. Delayed packets arrive all at once.
  mutating func add(_ header: RTPHeader, arrival: Int64, interval: Int64) -> Bool {
    let advance = Int32(bitPattern: header.timestamp &- timestamp)
    guard header.sequence == sequence &+ 1, advance >= 0 else {
      self = LateRun(header, arrival: arrival)
      return false
    }
    sequence = header.sequence
    timestamp = header.timestamp
    let isNextFrame = advance > 0 || isBetweenFrames
    isBetweenFrames = header.marker
    guard isNextFrame else { return false }
    frames += 1
    // Half of the pace is enough: the network has jitter.
    let elapsed = arrival &- first.arrival
    let isPaced =
      timestamp == first.timestamp
      ? elapsed >= interval * Int64(min(frames - 1, 100)) / 2
      : MediaClock.ticks(at: elapsed) >= Int64(timestamp &- first.timestamp) / 2
    return frames >= 3 && isPaced
  }
}
