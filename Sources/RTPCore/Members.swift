/// Who else takes part in a session (RFC 3550, 6.3.2 to 6.3.5), and what they last reported.
struct Members: Sendable {
  struct Member: Sendable {
    let ssrc: UInt32
    /// CLOCK_MONOTONIC, in nanoseconds.
    var heard: Int64
    /// Of the source whose session this is.
    var block: ReportBlock?
    /// Nanoseconds.
    var roundTrip: Int64?
  }

  private(set) var list: [Member] = []
  /// What a network can make it keep.
  private static let most = 256

  /// With this one.
  var count: Int { list.count + 1 }

  /// Someone reported.
  mutating func hear(_ ssrc: UInt32, _ now: Int64, _ block: ReportBlock? = nil, roundTrip: Int64? = nil) {
    var index = list.firstIndex { $0.ssrc == ssrc }
    if index == nil, list.count < Self.most {
      list.append(Member(ssrc: ssrc, heard: now))
      index = list.count - 1
    }
    guard let index else { return }
    list[index].heard = now
    if let block { list[index].block = block }
    if let roundTrip { list[index].roundTrip = roundTrip }
  }

  /// - Returns: whether someone is gone.
  mutating func remove(_ ssrc: UInt32) -> Bool { removeAll { $0.ssrc == ssrc } }

  /// Removes those of whom nothing was heard since then.
  /// - Returns: whether someone is gone.
  mutating func removeSilent(since time: Int64) -> Bool { removeAll { $0.heard < time } }

  private mutating func removeAll(_ isGone: (Member) -> Bool) -> Bool {
    let before = list.count
    if list.contains(where: isGone) { list.removeAll(where: isGone) }
    return list.count < before
  }
}
