import LinuxIO

/// One receiver: its stream, how much of the frame in flight it has, and what is reported both ways.
struct Destination: ~Copyable {
  /// What the loop's events call it: its place in a list can change.
  let id: UInt32
  private var sender: DatagramSender
  var reports: ReportLink
  private var next = 0
  private var largestFrame = 0
  private(set) var isDone = true
  /// The rest of the frame is not to leave yet: the pace's timer brings it on.
  private(set) var isHeldBack = false
  /// Its socket was full, and may still be.
  private var isCongested = false
  /// Its buffer is as large as was asked.
  private(set) var hasBuffer = true
  /// The user was told that it is not.
  var saidBuffer = false
  /// The loop is told when the socket takes more.
  var isWaiting = false
  /// Who spreads its packets, where they are to be spread.
  private(set) var pacer = Pacer.timer(nil)
  /// Why its packets are lost; nil: they are not, as far as is known.
  private(set) var errno: Errno?
  /// When that began, and when it was so last, in nanoseconds of `Clock.monotonic`.
  private var failingSince: Int64 = 0
  private var failedAt = Int64.min / 2
  /// The sender's `connections` then, and when they were last asked for; nil: never.
  private var failedConnections: UInt32 = 0
  private var seenConnections: UInt32?
  /// Packets are lost on their way there: a frame is not sent by being handed to the kernel.
  private(set) var isFailing = false
  /// The last error was the answer to packets of an earlier frame.
  private(set) var lostEarlier = false
  /// All of the previous frame was sent there, and no answer came that says that it is lost.
  private var hasLast = false
  /// What is refused is known as soon as it is sent.
  private let isLoopback: Bool
  /// The one that the user was told.
  var saidErrno: Errno?

  init(_ sender: consuming DatagramSender, _ reports: consuming ReportLink, id: UInt32) {
    self.id = id
    isLoopback = sender.destination.isLoopback
    self.sender = sender
    self.reports = reports
  }

  var number: Int32 { sender.number }

  var address: SocketAddress { sender.destination }

  /// The largest packet that the way there takes, in bytes of UDP payload, as far as it is known.
  var largestPacket: Int? { sender.largestPacket }

  /// The kernel cuts packets out of larger calls.
  var isSegmenting: Bool { sender.isSegmenting }

  /// Packets of the frame that it got.
  var sent: Int { next }

  /// An answer came that says that its packets are lost. A full queue of the network device (ENOBUFS) is no such answer: it
  /// drops the packets of that call alone, which are sent again, or left out and not counted.
  mutating func fail(_ errno: Errno) {
    failedAt = Clock.monotonic
    if self.errno == nil { failingSince = failedAt }
    self.errno = errno
    failedConnections = sender.connections
    if errno != .noBufferSpace { isFailing = true }
  }

  /// Nanoseconds from the first to the last answer that said that packets are lost.
  var outageLength: Int64 { failedAt - failingSince }

  /// Connects its sockets again, where the network changed.
  mutating func reconnect() {
    if let errno = sender.reconnect() { fail(errno) }
    reports.reconnect(to: sender.currentDestination)
  }

  /// What its packets leave through, where that may have changed since the last call.
  mutating func newPath() -> NetworkPath? {
    guard sender.connections != seenConnections else { return nil }
    seenConnections = sender.connections
    return sender.path
  }

  /// Looks for an answer that no further packet would bring.
  mutating func settle() { if let errno = sender.takeError() { fail(errno) } }

  /// Whether packets were lost lately. Hosts and routers answer once a second at most; the kernel looks for a host for 3 s
  /// before it gives up.
  func hasFailed(lately now: Int64) -> Bool {
    errno != nil && now - failedAt < (errno == .connectionRefused ? 2_500_000_000 : 5_000_000_000)
  }

  /// Has packets count as sent again, where no answer came for some time.
  mutating func recover(now: Int64) {
    if hasFailed(lately: now) && !isReconnected { return }
    isFailing = false
    errno = nil
  }

  /// This machine had no path to it, and has one now: no answer is waited for.
  private var isReconnected: Bool { sender.connections > failedConnections && errno?.isOfThisMachine ?? false }

  /// Chooses who spreads its packets.
  /// - Parameter discipline: of the queue in which they wait.
  /// - Returns: whether that changed.
  mutating func choosePacer(_ discipline: QueueDiscipline?) -> Bool {
    let before = pacer
    pacer = Pacer(
      discipline, takesTimes: sender.isSegmenting && discipline?.isPacing == true && sender.takeDepartures())
    return pacer != before
  }

  var isPacedByKernel: Bool {
    if case .kernel = pacer { sender.isSegmenting } else { false }
  }

  /// Begins with another frame.
  /// - Parameter byteCount: of all its packets. The socket's buffer shall take two such frames: with less, a moment's
  ///   delay on the way costs packets; with much more, frames would grow old in it.
  /// - Returns: whether it takes part. On a way that is too slow for the camera, a frame is begun only when the socket
  ///   has room for all of it: whole frames, if fewer, instead of a part of each.
  mutating func beginFrame(byteCount: Int) -> Bool {
    next = 0
    isHeldBack = false
    if isLoopback { isFailing = false }
    if byteCount > largestFrame {
      largestFrame = byteCount + byteCount / 4
      hasBuffer = sender.setSendBuffer(bytes: 2 * largestFrame)
    }
    // The kernel's own part makes a packet half as large again, or more.
    if isCongested { isCongested = sender.unsent > max(0, sender.sendBuffer - 2 * byteCount) }
    isDone = isCongested
    return !isDone
  }

  /// What one more try came to.
  enum Progress {
    case done, full, unreachable
    /// It has all that there is of the frame yet.
    case waiting
    /// The rest is not to leave yet.
    case paced
    /// Packets are larger than the way there takes.
    case tooLarge
  }

  /// Sends as much of the frame as the socket takes.
  /// - Parameters:
  ///   - limit: how many of its packets may have left by now.
  ///   - isWhole: no more packets are added to it.
  ///   - pace: that the kernel is to keep, where it does.
  mutating func push(
    _ batch: borrowing PacketBatch, upTo limit: Int, isWhole: Bool, pace: Pace
  ) -> Progress {
    isHeldBack = false
    let isTimed = pace.isSpreading && isPacedByKernel
    // fq has room for 100 of a flow, unless told otherwise: for two frames, each of which may be larger than expected.
    sender.largestGroup = isTimed ? max(4, pace.expectedBytes / (25 * max(1, batch.packetSize)) + 1) : .max
    while next < limit {
      let departure = isTimed ? pace.departure(behind: next * batch.packetSize) : nil
      switch sender.send(batch, from: next, count: limit - next, departure: departure) {
      case .sent(let count): next += count
      case .stopped(let count):
        next += count
        lostEarlier = false
        if let obstacle = probe(batch) { return obstacle }
      case .wouldBlock:
        isCongested = true
        return .full
      case .tooLarge: return .tooLarge
      case .failed(let errno):
        lostEarlier = next == 0
        fail(errno)
        if let obstacle = probe(batch) { return obstacle }
      }
    }
    guard next == batch.count else {
      isHeldBack = true
      return .paced
    }
    guard isWhole else { return .waiting }
    isDone = true
    return .done
  }

  /// Sends one packet after a call that did not take all, to see why. ECONNREFUSED is the answer to an earlier packet,
  /// and reported once: the receiver may be there again.
  private mutating func probe(_ batch: borrowing PacketBatch) -> Progress? {
    switch sender.send(batch, from: next, count: 1) {
    case .wouldBlock:
      isCongested = true
      return .full
    case .tooLarge: return .tooLarge
    case .failed(let errno): fail(errno)
    case .sent, .stopped:
      next += 1
      guard let errno = sender.takeError() else { return nil }
      fail(errno)
    }
    return .unreachable
  }

  /// All of the frame was sent there, and no answer came that says that it is lost.
  func isComplete(_ batch: borrowing PacketBatch) -> Bool { next == batch.count && !isFailing }

  /// Ends the frame.
  /// - Returns: whether all of it was sent there.
  mutating func endFrame(_ batch: borrowing PacketBatch) -> Bool {
    hasLast = isComplete(batch)
    return hasLast
  }

  /// The previous frame did not arrive.
  /// - Returns: whether it was held to be sent.
  mutating func takeBackLast() -> Bool {
    defer { hasLast = false }
    return hasLast
  }

  /// Leaves the rest of the frame out.
  /// - Returns: how many packets that is.
  mutating func abandon(_ batch: borrowing PacketBatch) -> Int {
    guard !isDone else { return 0 }
    isDone = true
    isHeldBack = false
    return batch.count - next
  }
}
