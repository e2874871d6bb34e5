import LinuxIO

/// Which queue a camera's packets to each receiver wait in: asked of the kernel by the main thread, since the answer takes a
/// lock that others can hold for a while. It tells who can spread packets over time (`Pacer`).
struct QueueWatch {
  private let interface: String?
  private let isPaced: Bool
  /// The receivers that were asked for, as they were sent then.
  private var known: [(address: SocketAddress, path: NetworkPath)] = []
  private var askAt = Int64.min
  /// A device's queue can be changed, which is not announced.
  private static let interval: Int64 = 3_000_000_000

  init(_ settings: SessionSettings) {
    interface = settings.route.interface
    isPaced = settings.pace != .off
  }

  /// Milliseconds until `next` asks again; -1: never.
  func pause(at now: Int64) -> Int32 {
    guard isPaced, !known.isEmpty else { return -1 }
    return Int32(clamping: max(0, (askAt - now + 999_999) / 1_000_000))
  }

  /// What the camera's thread is to know: of new receivers and of those that connected again at once, else every 3 s.
  mutating func next(_ state: Board.State, at now: Int64) -> [Mailbox.Message] {
    guard isPaced else { return [] }
    let receivers = state.receivers.compactMap { receiver in receiver.path.map { (address: receiver.address, path: $0) }
    }
    let isDue = now >= askAt
    let asked = receivers.filter { receiver in isDue || !known.contains { $0 == receiver } }
    known = receivers
    if isDue { askAt = now + Self.interval }
    return asked.map { receiver in
      let interface = receiver.address.isLoopback ? nil : self.interface
      return .queue(receiver.address, QueueDiscipline(towards: receiver.address, by: interface))
    }
  }
}
