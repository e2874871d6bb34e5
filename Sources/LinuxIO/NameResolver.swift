import Glibc
import Synchronization

/// Looks up hosts' names on a thread of its own. A look-up can take as long as name servers let it wait, and cannot be
/// called off: nobody waits for the thread's end.
public final class NameResolver: Sendable {
  /// What came of one look-up.
  public struct Answer: Sendable {
    public let host: String
    /// With port 0; see `SocketAddress.all(host:port:passive:)`.
    public let addresses: Result<[SocketAddress], AddressError>
  }

  private struct State {
    var questions: [String] = []
    /// The one that is being looked up.
    var current: String?
    var answers: [Answer] = []
    var hasThread = false
  }

  private let state = Mutex(State())
  private let hasQuestions: EventFD
  private let hasAnswers: EventFD

  public init() throws(SystemCallError) {
    hasQuestions = try EventFD()
    hasAnswers = try EventFD()
  }

  /// For epoll: readable when there are answers.
  public var fileDescriptor: Int32 { hasAnswers.number }

  /// Looks up a host, unless that is being done already. The first call starts the thread.
  public func resolve(_ host: String) throws(SystemCallError) {
    let needsThread = state.withLock { state in
      if state.current != host, !state.questions.contains(host) { state.questions.append(host) }
      defer { state.hasThread = true }
      return !state.hasThread
    }
    hasQuestions.raise()
    if needsThread { _ = try Thread(name: "names") { self.run() } }
  }

  /// The answers since the last call, the oldest first.
  public func answers() -> [Answer] {
    hasAnswers.lower()
    return state.withLock { state in
      defer { state.answers = [] }
      return state.answers
    }
  }

  private func run() {
    while true {
      guard let host = next() else {
        var entry = pollfd(fd: hasQuestions.number, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, -1)
        hasQuestions.lower()
        continue
      }
      let addresses: Result<[SocketAddress], AddressError>
      do throws(AddressError) { addresses = .success(try SocketAddress.all(host: host, port: 0)) } catch {
        addresses = .failure(error)
      }
      state.withLock { state in
        state.current = nil
        state.answers.append(Answer(host: host, addresses: addresses))
      }
      hasAnswers.raise()
    }
  }

  private func next() -> String? {
    state.withLock { state in
      state.current = state.questions.isEmpty ? nil : state.questions.removeFirst()
      return state.current
    }
  }
}
