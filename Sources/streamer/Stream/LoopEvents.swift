import LinuxIO

/// All that a camera's loop waits for, in one epoll.
struct LoopEvents: ~Copyable {
  private let epoll: Epoll
  private let statsTimer: Timer
  private let watchTimer: Timer
  private let reportTimer: Timer
  private let paceTimer: Timer
  private var hasSource = true

  /// What happened.
  enum Event {
    /// The camera has a frame.
    case source
    case stop
    /// The statistics are due.
    case stats
    /// It is time to see whether the camera still gives frames.
    case watch
    /// The pace allows more packets.
    case pace
    /// Receivers are to be sent reports.
    case report
    /// A receiver's socket takes more packets.
    case destination(Int)
    /// A receiver sent a report.
    case feedback(Int)
  }

  /// - Parameters:
  ///   - source: the camera's descriptor.
  ///   - stop: the descriptor that tells the loop to end.
  ///   - statsSeconds: how often the statistics are due; nil: never.
  ///   - destinations: whose reports are waited for.
  init(source: Int32, stop: Int32, statsSeconds: Double?, destinations: borrowing DestinationList) throws {
    let epoll = try Epoll()
    let statsTimer = try Timer()
    let watchTimer = try Timer()
    let reportTimer = try Timer()
    try epoll.add(reportTimer.number, .readable, token: 4)
    let paceTimer = try Timer()
    try epoll.add(paceTimer.number, .readable, token: 5)
    for index in 0..<destinations.count {
      try epoll.add(destinations[index].reports.number, .readable, token: Self.firstDestination + 2 * UInt64(index) + 1)
    }
    try watchTimer.start(first: Clock.monotonic + Self.watchInterval, every: Self.watchInterval)
    try epoll.add(watchTimer.number, .readable, token: 3)
    try epoll.add(source, .readable, token: 0)
    try epoll.add(stop, .readable, token: 1)
    if let statsSeconds {
      let interval = Int64(statsSeconds * 1e9)
      try statsTimer.start(first: Clock.monotonic + interval, every: interval)
      try epoll.add(statsTimer.number, .readable, token: 2)
    }
    self.epoll = epoll
    self.statsTimer = statsTimer
    self.watchTimer = watchTimer
    self.reportTimer = reportTimer
    self.paceTimer = paceTimer
  }

  private static var firstDestination: UInt64 { 6 }
  /// Nanoseconds.
  private static let watchInterval: Int64 = 1_000_000_000

  /// Sleeps until something happens.
  /// - Returns: how many events there are; the subscript gives them.
  func wait() -> Int { epoll.wait() }

  /// Event `index` of the last `wait`.
  subscript(_ index: Int) -> Event {
    switch epoll.token(at: index) {
    case 0: return .source
    case 1: return .stop
    case 2:
      _ = statsTimer.expirations()
      return .stats
    case 3:
      _ = watchTimer.expirations()
      return .watch
    case 4:
      _ = reportTimer.expirations()
      return .report
    case 5:
      _ = paceTimer.expirations()
      return .pace
    case let token:
      let index = Int(token - Self.firstDestination) / 2
      return token % 2 == 0 ? .destination(index) : .feedback(index)
    }
  }

  /// Has the reports sent at an instant, in nanoseconds of `Clock.monotonic`.
  func waitToReport(at time: Int64) throws(SystemCallError) { try reportTimer.start(first: time) }

  /// Waits for the camera's frames, or no longer.
  mutating func waitForSource(_ number: Int32, _ wanted: Bool) throws(SystemCallError) {
    guard wanted != hasSource else { return }
    hasSource = wanted
    if wanted { try epoll.add(number, .readable, token: 0) } else { epoll.remove(number) }
  }

  /// Has packets sent again at an instant, in nanoseconds of `Clock.monotonic`.
  func waitForPace(until time: Int64) throws(SystemCallError) { try paceTimer.start(first: time) }

  /// Waits for a receiver's socket to take more, or no longer.
  func wait(_ wanted: Bool, for destination: inout Destination, number: Int) throws(SystemCallError) {
    guard wanted != destination.isWaiting else { return }
    if wanted {
      try epoll.add(destination.number, .writable, token: Self.firstDestination + 2 * UInt64(number))
    } else {
      epoll.remove(destination.number)
    }
    destination.isWaiting = wanted
  }
}
