import LinuxIO

/// Decides when a receiver's sockets connect again, and when its name is looked up again. It has no clock and no socket:
/// it is told what happens, and asked what to do. Times are nanoseconds of `Clock.monotonic`.
struct ReconnectDecision {
  enum Action: Equatable { case none, reconnect, resolve }

  private let hasName: Bool
  /// nil: the receiver has no address yet.
  private var path: NetworkPath?
  /// Since when packets to it are lost, and its name was not looked up for that.
  private var failingSince: Int64?
  /// Its source address may not be the best: there was an outage, and no reconnection after it.
  private var isUnsettled = false
  /// What comes this long after that reconnection is still of the same change: routes follow addresses.
  private var settlesAt = Int64.min
  private var firstEvent: Int64?
  private var reconnectAt: Int64?
  private var lastReconnect = Int64.min / 2
  private var resolveAt: Int64?
  private var resolvePause: Int64

  /// Changes come in bursts: this long after the last one, but not later than so long after the first.
  static let quietTime: Int64 = 100_000_000
  static let maximumDelay: Int64 = 500_000_000
  /// Between two reconnections.
  static let minimumInterval: Int64 = 500_000_000
  static let settlingTime: Int64 = 10_000_000_000
  /// A name without an address is looked up this often at first; then, and for failing packets, less and less often.
  static let firstPause: Int64 = 1_000_000_000
  static let failingPause: Int64 = 5_000_000_000
  static let maximumPause: Int64 = 60_000_000_000

  /// - Parameter hasName: it can be looked up again.
  init(hasName: Bool) {
    self.hasName = hasName
    resolvePause = Self.firstPause
  }

  /// The receiver's name has no address: it is to be looked up again.
  mutating func isUnresolved(at now: Int64) {
    path = nil
    resolveAt = now + resolvePause
    // A name that is not there for a minute is looked up every 10 s.
    resolvePause = min(resolvePause * 6 / 5, Self.maximumPause / 6)
  }

  /// Its sockets connected, or could not (`path.source` is nil then).
  mutating func connected(through path: NetworkPath) {
    if self.path == nil { resolveAt = nil }
    self.path = path
    if path.source == nil { isUnsettled = true }
  }

  /// Packets to it began to be lost, or to arrive again.
  mutating func sends(fail: Bool, at now: Int64) {
    guard fail else {
      failingSince = nil
      if path != nil { resolveAt = nil }
      return
    }
    guard failingSince == nil else { return }
    failingSince = now
    isUnsettled = true
    guard hasName, path != nil else { return }
    resolvePause = Self.failingPause
    resolveAt = now + resolvePause
  }

  mutating func network(_ event: NetworkEvent, at now: Int64) {
    switch concerns(event, at: now) {
    case .nothing: return
    case .loss: isUnsettled = true
    case .gain: break
    }
    let first = firstEvent ?? now
    firstEvent = first
    reconnectAt = max(min(now + Self.quietTime, first + Self.maximumDelay), lastReconnect + Self.minimumInterval)
  }

  /// When `next` has something to do; nil: not before something happens.
  var due: Int64? { [reconnectAt, resolveAt].compactMap(\.self).min() }

  /// What is to be done now; it counts as done.
  mutating func next(at now: Int64) -> Action {
    if let time = reconnectAt, time <= now {
      reconnectAt = nil
      firstEvent = nil
      lastReconnect = now
      // A network that came may have its name, too.
      guard path != nil else {
        resolvePause = Self.firstPause
        return hasName ? resolve(at: now) : .none
      }
      if isUnsettled, failingSince == nil {
        isUnsettled = false
        settlesAt = now + Self.settlingTime
      }
      return .reconnect
    }
    guard let time = resolveAt, time <= now else { return .none }
    return resolve(at: now)
  }

  private mutating func resolve(at now: Int64) -> Action {
    // Of a name without an address the answer sets the next time: see `isUnresolved`.
    resolveAt = nil
    guard path != nil else { return .resolve }
    resolvePause = min(2 * resolvePause, Self.maximumPause)
    resolveAt = now + resolvePause
    return .resolve
  }

  private enum Concern { case nothing, loss, gain }

  /// Whether an event takes from the path what it uses, or brings what an unsettled one may use.
  private func concerns(_ event: NetworkEvent, at now: Int64) -> Concern {
    let mayGain = path == nil || isUnsettled || now < settlesAt || path?.source?.isProvisional ?? true
    let gain: Concern = mayGain ? .gain : .nothing
    switch event {
    case .addressAdded(let address, let index, .duplicate), .addressRemoved(let address, let index):
      return uses(address, index) ? .loss : .nothing
    case .addressAdded(_, _, .usable): return gain
    case .addressAdded: return .nothing
    case .linkRemoved(let name, let index): return uses(link: name, index) ? .loss : .nothing
    case .linkChanged(let name, let index, let isUp, let isNew):
      if let path, path.interface == name, path.interfaceIndex != index { return .loss }
      return isUp || isNew ? gain : .nothing
    case .routesChanged: return gain
    case .eventsLost: return path == nil ? .gain : .loss
    }
  }

  private func uses(_ address: SocketAddress, _ index: UInt32) -> Bool {
    guard let path, let source = path.source, source.isSameHost(as: address) else { return false }
    // Every interface can have the same link-local address.
    return address.family == .ipv4 || path.interfaceIndex == nil || path.interfaceIndex == index
  }

  private func uses(link name: String, _ index: UInt32) -> Bool {
    guard let path else { return false }
    // A group's packets can leave by an interface that has no address.
    return path.isMulticast || path.interface == name || path.interfaceIndex == index
  }
}
