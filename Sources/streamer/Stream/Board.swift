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

  struct State: Sendable {
    /// Set as soon as it streams.
    var info: SourceInfo?
    var statistics = StreamStatistics()
    /// Why packets to a receiver failed, by its number.
    var destinationErrors: [Errno?]
    /// How each receiver receives the stream, by its number.
    var receptions: [RTCPSender.Reception]
    /// Whose packets the kernel does not cut out of larger calls, by the receiver's number.
    var refusedSegments: [Bool]
    /// Whose socket's buffer is smaller than was asked for, by the receiver's number.
    var smallBuffers: [Bool]
    /// The packets' size, where it changed.
    var packetSize: Int?
    /// The SSRC that the stream goes on with, since another one has the one that it had.
    var changedSSRC: UInt32?
    /// Which instant its timestamps are of.
    var timestampSource: TimestampSource?
    /// The camera gives no frames.
    var isSilent = false
    var end: End?
    /// Raised each time the statistics are to be printed.
    var ticks = 0
  }

  private let state: Mutex<State>
  private let bell: EventFD

  /// - Parameter destinations: how many receivers it has.
  init(destinations: Int) throws {
    state = Mutex(
      State(
        destinationErrors: Array(repeating: nil, count: destinations),
        receptions: Array(repeating: .init(), count: destinations),
        refusedSegments: Array(repeating: false, count: destinations),
        smallBuffers: Array(repeating: false, count: destinations)))
    bell = try EventFD()
  }

  /// For the main thread's epoll.
  var number: Int32 { bell.number }

  /// Changes what is on the board, and rings.
  func post(_ change: (inout State) -> Void) {
    state.withLock { change(&$0) }
    bell.raise()
  }

  /// What is on the board.
  func read() -> State {
    bell.lower()
    return state.withLock { $0 }
  }
}
