/// The other participants of a session (RFC 3550, 6.3.2 to 6.3.5), and what they last reported.
struct Members: Sendable {
  struct Member: Sendable {
    let ssrc: UInt32
    /// The IP address that its first report came from.
    let host: SIMD2<UInt64>
    /// CLOCK_MONOTONIC in nanoseconds, of its last report.
    var reportedAt: Int64
    /// Of the source whose session this is.
    var block: ReportBlock?
    /// Nanoseconds.
    var roundTrip: Int64?
  }

  private(set) var list: [Member] = []
  /// The most that a network can make it keep: of all hosts, and of one.
  static let maximumCount = 256
  static let maximumPerHost = 16

  /// With this one.
  var count: Int { list.count + 1 }

  /// Notes that a participant reported.
  /// - Parameter block: what it reported of the source. Who reported on the source takes the place of another who did not.
  mutating func note(
    _ ssrc: UInt32, from host: SIMD2<UInt64> = .zero, _ now: Int64, _ block: ReportBlock? = nil, roundTrip: Int64? = nil
  ) {
    guard let index = place(of: ssrc, host, isReceiver: block != nil, now) else { return }
    list[index].reportedAt = now
    if let block { list[index].block = block }
    if let roundTrip { list[index].roundTrip = roundTrip }
  }

  /// - Returns: whether it was a participant. Nobody else can end it than its own host.
  mutating func remove(_ ssrc: UInt32, from host: SIMD2<UInt64> = .zero) -> Bool {
    removeAll { $0.ssrc == ssrc && $0.host == host }
  }

  /// Removes those who have not reported since then.
  /// - Returns: whether someone is gone.
  mutating func removeSilent(since time: Int64) -> Bool { removeAll { $0.reportedAt < time } }

  mutating func removeAll() { list.removeAll(keepingCapacity: true) }

  private mutating func place(of ssrc: UInt32, _ host: SIMD2<UInt64>, isReceiver: Bool, _ now: Int64) -> Int? {
    // The same SSRC from another host is forged, or a collision.
    if let index = list.firstIndex(where: { $0.ssrc == ssrc }) { return list[index].host == host ? index : nil }
    let member = Member(ssrc: ssrc, host: host, reportedAt: now)
    let isCrowded = host != .zero && list.reduce(0) { $0 + ($1.host == host ? 1 : 0) } >= Self.maximumPerHost
    if !isCrowded, list.count < Self.maximumCount {
      list.append(member)
      return list.count - 1
    }
    guard isReceiver, let index = list.firstIndex(where: { $0.block == nil && (!isCrowded || $0.host == host) }) else {
      return nil
    }
    list[index] = member
    return index
  }

  private mutating func removeAll(_ isGone: (Member) -> Bool) -> Bool {
    let before = list.count
    if list.contains(where: isGone) { list.removeAll(where: isGone) }
    return list.count < before
  }
}
