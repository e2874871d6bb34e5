/// A session's bandwidth, of which RTCP may have a part: what was sent between two readings. It has a floor, so that
/// reports go on while a camera pauses.
struct Bandwidth: Sendable {
  /// Bytes a second; one megabit until it is known.
  private(set) var value = 125_000.0
  private var last: (octets: UInt64, time: Int64)?

  private static let lowest = 8000.0

  /// - Parameter octets: sent since the beginning.
  mutating func measure(_ octets: UInt64, _ now: Int64) {
    if let last {
      guard now - last.time > 1_000_000_000 else { return }
      let sent = octets >= last.octets ? octets - last.octets : 0
      value = max(Self.lowest, Double(sent) / (Double(now - last.time) / 1e9))
    }
    last = (octets, now)
  }
}
