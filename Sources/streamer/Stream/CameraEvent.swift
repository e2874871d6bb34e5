import LinuxIO

/// What happened to a camera or its stream: each time that it does, the user is told.
enum CameraEvent: Equatable, Sendable {
  /// - Parameter reason: of a camera that was lost.
  case camera(CameraLifecycle.State, reason: String?)
  /// Packets to a receiver are lost from now on, or for another reason than before.
  case receiverFailed(SocketAddress, Errno)
  /// They are not lost any more.
  /// - Parameters:
  ///   - source: this machine's address that they leave from, where it is known.
  ///   - outage: nanoseconds from the first to the last answer that said that they are lost.
  case receiverRecovered(SocketAddress, source: SocketAddress?, outage: Int64)
}

/// The last events of a camera's thread.
struct EventList: Sendable {
  /// How many there were.
  private(set) var count = 0
  private var recent: [CameraEvent] = []

  /// More between two looks of the main thread are not kept.
  private static let capacity = 128

  /// Allocates, so that an event in the middle of the stream need not.
  init() { recent.reserveCapacity(Self.capacity) }

  mutating func append(_ event: CameraEvent) {
    if recent.count == Self.capacity { recent.removeFirst() }
    recent.append(event)
    count += 1
  }

  /// Those after the first `seen`.
  func since(_ seen: Int) -> ArraySlice<CameraEvent> { recent.suffix(max(0, count - seen)) }
}
