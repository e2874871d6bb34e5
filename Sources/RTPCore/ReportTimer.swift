/// When the next report is due (RFC 3550, 6.2, 6.3 and A.7): the more take part, the rarer each one reports, and never
/// all at once. The clock and chance are passed in.
public struct ReportTimer: Sendable {
  /// Who takes part, and what RTCP may use.
  public struct Load: Sendable {
    /// This one with the others.
    var members: Int
    var senders: Int
    /// This one sent packets since the report before the last.
    var isSender: Bool
    /// The session's bandwidth, in bytes a second; RTCP has a twentieth of it.
    var bandwidth: Double
  }

  /// When the next report is due: CLOCK_MONOTONIC in nanoseconds.
  public private(set) var due: Int64
  private var last: Int64
  private var members = 1
  private var isInitial = true
  /// Bytes, with those of UDP and IP.
  private var averageSize = 128.0

  private static let minimum = 5.0
  static let lowerHeaders = 28

  /// - Parameters:
  ///   - isUnicast: the first report may leave at once (6.2).
  ///   - chance: 0 to 1.
  init(now: Int64, isUnicast: Bool, chance: Double) {
    last = now
    due = now
    guard !isUnicast else { return }
    let load = Load(members: 1, senders: 0, isSender: false, bandwidth: 125_000)
    due = now + spread(interval(load), chance)
  }

  /// Whether a report is to be sent now; where more take part than before, its time is put off (6.3.3).
  /// - Parameter chance: 0 to 1.
  mutating func isDue(_ now: Int64, _ load: Load, chance: Double) -> Bool {
    guard now >= due else { return false }
    members = load.members
    if isInitial && last == due { return true }
    let time = last + spread(interval(load), chance)
    if time <= now { return true }
    due = time
    return false
  }

  /// A report was sent.
  /// - Parameters:
  ///   - size: UDP payload, in bytes.
  ///   - chance: 0 to 1.
  mutating func sent(_ now: Int64, size: Int, _ load: Load, chance: Double) {
    average(size)
    isInitial = false
    last = now
    members = load.members
    due = now + spread(interval(load), chance)
  }

  /// Another's report came.
  mutating func average(_ size: Int) { averageSize += (Double(size + Self.lowerHeaders) - averageSize) / 16 }

  /// Some left: the next report comes the sooner (6.3.4).
  mutating func left(_ now: Int64, members count: Int) {
    guard count < members else { return }
    let part = Double(count) / Double(members)
    due = now + Int64(part * Double(due - now))
    last = now - Int64(part * Double(now - last))
    members = count
  }

  /// How long one may be silent before it is no member any more, in nanoseconds (6.3.5): five intervals of a receiver.
  func timeout(_ load: Load) -> Int64 {
    var load = load
    load.isSender = false
    return Int64(5e9 * max(Self.minimum, interval(load)))
  }

  /// Seconds between reports, by A.7, before chance.
  private func interval(_ load: Load) -> Double {
    var count = Double(load.members)
    var bandwidth = max(1, load.bandwidth / 20)
    // Senders have a quarter of it to themselves, where they are fewer than that.
    if Double(load.senders) <= count / 4 {
      bandwidth *= load.isSender ? 0.25 : 0.75
      count = load.isSender ? Double(load.senders) : count - Double(load.senders)
    }
    return max(isInitial ? Self.minimum / 2 : Self.minimum, averageSize * count / bandwidth)
  }

  /// Nanoseconds: half to one and a half of it, over e − 3/2, which makes up for what reconsideration puts off.
  private func spread(_ seconds: Double, _ chance: Double) -> Int64 {
    Int64(min(seconds, 86_400) * (0.5 + chance) / 1.218_28 * 1e9)
  }
}
