import LinuxIO

/// The main thread's part in one camera's stream: it reports what the camera's thread leaves on its board, and sees to it
/// that packets go to the addresses that receivers have, by the paths that there are.
struct CameraWatch {
  let settings: StreamSettings
  let thread: CameraThread
  private(set) var reporter: Reporter
  private var choice: AddressChoice
  private var queue: QueueWatch

  /// Starts the camera's thread. For the other parameters see `Reporter`.
  init(_ settings: StreamSettings, number: Int, sdpPath: String? = nil, printsStream: Bool = true) throws {
    self.settings = settings
    thread = try CameraThread(settings, number: number)
    reporter = Reporter(settings, sdpPath: sdpPath, printsStream: printsStream)
    choice = AddressChoice(settings)
    queue = QueueWatch(settings.session)
  }

  /// Each receiver's address; nil: its name is not found yet.
  var addresses: [SocketAddress?] { choice.current }

  /// nil until the camera's first frame is there.
  var description: SDPStream? {
    reporter.pictureSize.map {
      SDPStream(settings, size: $0, rate: reporter.info?.rate, destinations: choice.destinations)
    }
  }

  /// Milliseconds until `update` has something to do; -1: not before something happens.
  func pause(at now: Int64) -> Int32 {
    [choice.pause, reporter.pause(at: now), queue.pause(at: now)].filter { $0 >= 0 }.min() ?? -1
  }

  /// The camera's thread left something on its board.
  mutating func read() -> Board.State {
    let state = thread.board.read()
    reporter.report(state)
    choice.read(state)
    return state
  }

  /// After each event, and when the pause is over.
  mutating func update(at now: Int64) {
    reporter.logHeldBack(at: now)
    for change in choice.next(now: now) { post(change) }
    for message in queue.next(thread.board.peek(), at: now) { thread.mailbox.post(message) }
  }

  /// A receiver's sockets are to connect again.
  func reconnect(_ receiver: Int) {
    if let address = choice.current[receiver] { thread.mailbox.post(.reconnect(address)) }
  }

  /// A receiver's name has these addresses now.
  mutating func adopt(_ addresses: [SocketAddress], of receiver: Int, at now: Int64) {
    let change = choice.adopt(addresses, of: receiver, now: now)
    reporter.receivers = choice.receivers
    if let change { post(change) }
  }

  /// Sends the stream to another address of a receiver.
  private func post(_ change: AddressChoice.Change) {
    if let old = change.old { thread.mailbox.post(.remove(old)) }
    thread.mailbox.post(.add(change.new))
  }
}
