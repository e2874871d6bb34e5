import LinuxIO
import RTPCore
import Synchronization
import V4L2Capture

/// Where a camera's thread leaves what the main thread prints: the camera's never waits for a terminal or a disk.
final class Board: Sendable {
  /// How a camera ended.
  enum End: Sendable {
    case stopped
    case failed(String)
    /// The user asked for what can't be.
    case refused(String)
  }

  /// What there is to say of one receiver.
  struct Receiver: Sendable {
    let address: SocketAddress
    /// What its packets leave through; nil: it is not known yet.
    var path: NetworkPath?
    /// How it receives the stream.
    var reception = RTCPSender.Reception()
    /// Why packets to it are lost; nil: they are not.
    var errno: Errno?
    /// They failed lately, when the statistics were posted.
    var isFailing = false
    /// It sent a report once.
    var hasReported = false
    /// The kernel does not cut its packets out of larger calls.
    var refusesSegments = false
    /// Its socket's buffer is smaller than was asked for.
    var hasSmallBuffer = false
    /// Who spreads its packets over time, for people; nil: nobody.
    var pacing: String?

    /// There is something to say.
    var isSpecial: Bool { refusesSegments || hasSmallBuffer || pacing != nil }
  }

  struct State: Sendable {
    /// Set as soon as it streams.
    var info: SourceInfo?
    /// Pixels of its pictures, by their own headers: set with the first frame, and when they change.
    var pictureSize: FrameSize?
    var statistics = StreamStatistics()
    /// When they were read, in nanoseconds of `Clock.monotonic`.
    var statisticsTime: Int64 = 0
    /// In the order of the loop's.
    var receivers: [Receiver] = []

    /// - Parameter index: where it probably is.
    func receiver(at address: SocketAddress, near index: Int) -> Receiver? {
      if receivers.indices.contains(index), receivers[index].address == address { return receivers[index] }
      return receivers.first { $0.address == address }
    }

    /// Why receivers could not be added, the oldest first.
    var refusedReceivers: [String] = []
    /// The packets' size, where it changed.
    var packetSize: Int?
    /// Packets leave before their frame is done.
    var isEarly = false
    /// Why they can't.
    var earlyRefusal: EarlyTrial.Refusal?
    /// Where the first report came from that was not a receiver's own, and that receiver.
    var foreignReport: (address: SocketAddress, receiver: SocketAddress)?
    /// The SSRC that the stream goes on with, since another one has the one that it had.
    var changedSSRC: UInt32?
    /// Which instant its timestamps are of.
    var timestampSource: TimestampSource?
    /// Its driver's timestamps cannot be used.
    var hasFaultyTimestamps = false
    /// What was measured, each time that it is asked for; nil: nothing yet.
    var measured: Measurement.Result?
    /// How many times that was.
    var measurements = 0
    /// Controls that the camera forgot.
    var controlNotes: [String] = []
    /// The camera's driver does not wake epoll.
    var isAskedAgain = false
    /// What happened, in its order.
    var events = EventList()
    var end: End?
    /// Raised each time the statistics are to be printed.
    var ticks = 0
  }

  /// Frames that the camera gave, those before the measured ones, too, where some are measured.
  let progress = Atomic<UInt64>(0)
  private let state = Mutex(State())
  private let bell: EventFD

  init() throws { bell = try EventFD() }

  /// For the main thread's epoll.
  var number: Int32 { bell.number }

  /// Changes what is on the board, and rings.
  func post(_ change: (inout State) -> Void) {
    state.withLock { change(&$0) }
    bell.raise()
  }

  /// What is on the board, without a word that it was read.
  func peek() -> State { state.withLock { $0 } }

  /// What is on the board.
  func read() -> State {
    bell.lower()
    return state.withLock { $0 }
  }
}
