import LinuxIO

/// All that a camera's loop waits for, in one epoll.
struct LoopEvents: ~Copyable {
  private let epoll: Epoll
  private let statsTimer: Timer
  private let checkTimer: Timer
  private let retryTimer: Timer
  private let reportTimer: Timer
  private let paceTimer: Timer
  private let pollTimer: Timer
  /// The camera's file descriptor; -1: there is none.
  private var source: Int32 = -1
  private var hasSource = false
  /// The camera's file descriptor is added again before each wait. Epoll asks a driver once, when it is added; some do not
  /// note down who waits if a frame is there already (v4l2loopback 0.12), and never wake epoll afterwards.
  var addsSourceAgain = false
  /// Until when the source was not waited for: nanoseconds of `Clock.monotonic`.
  private(set) var sourceHeldUntil = Int64.min

  /// What happened.
  enum Event {
    /// The camera has a frame.
    case source
    /// The camera's driver has an event.
    case sourceEvent
    /// It is time to try to open the camera again.
    case retry
    /// The main thread has something to say.
    case mail
    /// The statistics are due.
    case stats
    /// It is time to see whether the camera still gives frames.
    case check
    /// The pace allows more packets.
    case pace
    /// It is time to poll how much of a frame has arrived.
    case poll
    /// Receivers are to be sent reports.
    case report
    /// A receiver's socket, by the receiver's id, takes more packets.
    case destination(UInt32)
    /// A receiver sent a report.
    case feedback(UInt32)
  }

  /// - Parameters:
  ///   - mailbox: the descriptor that tells of messages.
  ///   - statsSeconds: how often the statistics are due; nil: never.
  init(mailbox: Int32, statsSeconds: Double?) throws {
    let epoll = try Epoll()
    let statsTimer = try Timer()
    let checkTimer = try Timer()
    let reportTimer = try Timer()
    try epoll.add(reportTimer.number, .readable, token: 4)
    let pollTimer = try Timer()
    try epoll.add(pollTimer.number, .expiring, token: 8)
    let paceTimer = try Timer()
    try epoll.add(paceTimer.number, .readable, token: 5)
    try checkTimer.start(first: Clock.monotonic + Self.checkInterval, every: Self.checkInterval)
    try epoll.add(checkTimer.number, .readable, token: 3)
    let retryTimer = try Timer()
    try epoll.add(retryTimer.number, .readable, token: 9)
    try epoll.add(mailbox, .readable, token: 1)
    if let statsSeconds {
      let interval = Int64(statsSeconds * 1e9)
      try statsTimer.start(first: Clock.monotonic + interval, every: interval)
      try epoll.add(statsTimer.number, .readable, token: 2)
    }
    self.epoll = epoll
    self.statsTimer = statsTimer
    self.checkTimer = checkTimer
    self.retryTimer = retryTimer
    self.reportTimer = reportTimer
    self.paceTimer = paceTimer
    self.pollTimer = pollTimer
  }

  /// Tokens of receivers have the id in their upper bits.
  private static var destination: UInt64 { 6 }
  private static var feedback: UInt64 { 7 }
  /// Nanoseconds.
  private static let checkInterval: Int64 = 1_000_000_000

  /// Sleeps until something happens.
  /// - Returns: how many events there are; the subscript gives them.
  func wait() -> Int { epoll.wait() }

  /// Event `index` of the last `wait`.
  subscript(_ index: Int) -> Event {
    switch epoll.token(at: index) {
    // A device that was unplugged has all of them (v4l2_poll in the kernel).
    case 0: return epoll.hasPriorityData(at: index) && !epoll.hasFailed(at: index) ? .sourceEvent : .source
    case 1: return .mail
    case 2:
      _ = statsTimer.expirations()
      return .stats
    case 3:
      _ = checkTimer.expirations()
      return .check
    case 4:
      _ = reportTimer.expirations()
      return .report
    case 5:
      _ = paceTimer.expirations()
      return .pace
    case 8: return .poll
    case 9:
      _ = retryTimer.expirations()
      return .retry
    case let token:
      let id = UInt32(truncatingIfNeeded: token >> 4)
      return token & 15 == Self.destination ? .destination(id) : .feedback(id)
    }
  }

  /// Has the reports sent at an instant, in nanoseconds of `Clock.monotonic`.
  func waitToReport(at time: Int64) throws(SystemCallError) { try reportTimer.start(first: time) }

  /// Waits for a camera's frames from now on.
  mutating func add(_ camera: borrowing Source) throws(SystemCallError) {
    removeSource()
    source = camera.fileDescriptor
    addsSourceAgain = camera.isFed
    try waitForSource(true)
  }

  /// The camera is about to be closed.
  mutating func removeSource() {
    if hasSource { epoll.remove(source) }
    (source, hasSource) = (-1, false)
  }

  /// Waits for the camera's frames, or no longer.
  mutating func waitForSource(_ wanted: Bool) throws(SystemCallError) {
    let hadSource = hasSource
    guard source >= 0, wanted != hadSource || (wanted && addsSourceAgain) else { return }
    if hadSource { epoll.remove(source) }
    hasSource = wanted
    guard wanted else { return }
    try epoll.add(source, .readableOrPriority, token: 0)
    if !hadSource { sourceHeldUntil = Clock.monotonic }
  }

  /// Has the camera opened again at an instant, in nanoseconds of `Clock.monotonic`.
  func waitToRetry(at time: Int64) throws(SystemCallError) { try retryTimer.start(first: time) }

  /// Has packets sent again at an instant, in nanoseconds of `Clock.monotonic`.
  func waitForPace(until time: Int64) throws(SystemCallError) { try paceTimer.start(first: time) }

  /// Has the driver's buffer polled at an instant, in nanoseconds of `Clock.monotonic`.
  func waitToPoll(at time: Int64) throws(SystemCallError) { try pollTimer.start(first: time) }

  /// Waits for a receiver's reports.
  func watch(_ destination: borrowing Destination) throws(SystemCallError) {
    try epoll.add(destination.reports.number, .readable, token: UInt64(destination.id) << 4 | Self.feedback)
  }

  /// Waits for nothing of a receiver any longer.
  func forget(_ destination: inout Destination) throws(SystemCallError) {
    epoll.remove(destination.reports.number)
    try wait(false, for: &destination)
  }

  /// Waits for a receiver's socket to take more, or no longer.
  func wait(_ wanted: Bool, for destination: inout Destination) throws(SystemCallError) {
    guard wanted != destination.isWaiting else { return }
    if wanted {
      try epoll.add(destination.number, .writable, token: UInt64(destination.id) << 4 | Self.destination)
    } else {
      epoll.remove(destination.number)
    }
    destination.isWaiting = wanted
  }
}
