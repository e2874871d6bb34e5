import LinuxIO
import Synchronization

/// What the main thread has to say to a camera's: its loop is woken, and takes it between two frames' events.
final class Mailbox: Sendable {
  enum Message: Sendable {
    case stop
    /// A receiver is sent the stream from the next frame on.
    case add(SocketAddress)
    /// A receiver is sent a goodbye, and no more.
    case remove(SocketAddress)
    /// A receiver's sockets connect again: the network changed.
    case reconnect(SocketAddress)
    /// In which queue a receiver's packets wait; nil: it is not known.
    case queue(SocketAddress, QueueDiscipline?)
    /// What was measured so far is posted.
    case tell
    /// Device nodes of cameras appeared.
    case camerasChanged
  }

  private let messages = Mutex<[Message]>([])
  private let bell: EventFD

  init() throws { bell = try EventFD() }

  /// For the loop's epoll.
  var number: Int32 { bell.number }

  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    bell.raise()
  }

  /// What came since the last call, the oldest first.
  func take() -> [Message] {
    bell.lower()
    return messages.withLock { messages in
      defer { messages = [] }
      return messages
    }
  }
}
