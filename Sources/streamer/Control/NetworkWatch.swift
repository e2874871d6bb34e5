import LinuxIO

/// Brings streams back after the network changed, and finds receivers' names: it tells what is to be done, the main thread
/// does it. No camera's thread asks rtnetlink, or looks up a name.
struct NetworkWatch: ~Copyable {
  enum Command {
    /// A receiver's sockets are to connect again.
    case reconnect(camera: Int, receiver: Int)
    /// A receiver's name has these addresses now.
    case found(camera: Int, receiver: Int, [SocketAddress])
  }

  /// nil where the kernel gives no rtnetlink socket (RestrictAddressFamilies= of systemd): then only names are looked up.
  private var monitor: NetworkMonitor?
  private let monitorDescriptor: Int32?
  private let resolver: NameResolver
  private let endpoints: [Endpoint]
  private let route: Route
  private let log: Log
  /// Addresses with port 0 of the hosts that were found.
  private(set) var names: [String: [SocketAddress]] = [:]
  /// Hosts that were not found at least once, which was logged.
  private var reported: Set<String> = []
  /// Of each camera, for each receiver.
  private var decisions: [[ReconnectDecision]]
  private var paths: [[NetworkPath?]]

  /// Begins to look up the receivers' names.
  static func open(_ options: StreamOptions) throws -> NetworkWatch {
    let resolver = try NameResolver()
    var watch = NetworkWatch(options, resolver)
    for host in Set(options.endpoints.map(\.host)) {
      // An address needs no look-up, but the interface that it names may be missing.
      if SocketAddress.isAddress(host), let found = try? SocketAddress.all(host: host, port: 0) {
        watch.names[host] = found
      } else {
        try resolver.resolve(host)
      }
    }
    return watch
  }

  private init(_ options: StreamOptions, _ resolver: NameResolver) {
    do throws(SystemCallError) {
      let monitor = try NetworkMonitor()
      monitorDescriptor = monitor.fileDescriptor
      self.monitor = consume monitor
    } catch {
      options.log.warning("changes of the network go unseen: \(error)")
      monitorDescriptor = nil
      monitor = nil
    }
    self.resolver = resolver
    endpoints = options.endpoints
    route = options.first.session.route
    log = options.log
    // The interface that an address names may be missing: then it is looked up as a name is.
    let decision = options.endpoints.map {
      ReconnectDecision(hasName: !SocketAddress.isAddress($0.host) || $0.host.contains("%"))
    }
    decisions = options.cameras.map { _ in decision }
    paths = options.cameras.map { _ in options.endpoints.map { _ in nil } }
  }

  func add(to epoll: borrowing Epoll, changes: UInt64, answers: UInt64) throws {
    if let monitorDescriptor { try epoll.add(monitorDescriptor, .readable, token: changes) }
    try epoll.add(resolver.fileDescriptor, .readable, token: answers)
  }

  /// Whether a first answer for each name is there.
  var hasFirstAnswers: Bool { endpoints.allSatisfy { names[$0.host] != nil || reported.contains($0.host) } }

  /// Takes first answers, before any camera starts.
  mutating func readFirstAnswers() {
    for answer in resolver.answers() { _ = adopt(answer) }
  }

  /// The cameras start: names without an answer are waited for.
  mutating func start(at now: Int64) {
    for (index, endpoint) in endpoints.enumerated() where names[endpoint.host] == nil {
      if !reported.contains(endpoint.host) { reportMissing(endpoint.host, "no name server answered yet") }
      for camera in decisions.indices { decisions[camera][index].isUnresolved(at: now) }
    }
  }

  /// Reads what changed.
  mutating func readChanges(at now: Int64) {
    for event in monitor?.events() ?? [] {
      for camera in decisions.indices {
        for index in decisions[camera].indices { decisions[camera][index].network(event, at: now) }
      }
    }
  }

  /// Reads which names were found.
  mutating func readAnswers(at now: Int64) -> [Command] {
    var commands: [Command] = []
    for answer in resolver.answers() {
      let addresses = adopt(answer)
      for (index, endpoint) in endpoints.enumerated() where endpoint.host == answer.host {
        for camera in decisions.indices {
          if let addresses {
            let all = endpoint.addresses(forCamera: camera, of: addresses)
            if isReceiver(all, endpoint) { commands.append(.found(camera: camera, receiver: index, all)) }
          } else if names[endpoint.host] == nil {
            decisions[camera][index].isUnresolved(at: now)
          }
        }
      }
    }
    return commands
  }

  /// Sees how a camera's receivers do.
  /// - Parameter addresses: the receivers' addresses of now.
  mutating func read(_ state: Board.State, _ addresses: [SocketAddress?], camera: Int, at now: Int64) {
    for (index, address) in addresses.enumerated() where decisions[camera].indices.contains(index) {
      guard let address, let receiver = state.receiver(at: address, near: index) else { continue }
      if let path = receiver.path, path != paths[camera][index] {
        paths[camera][index] = path
        decisions[camera][index].connected(through: path)
      }
      decisions[camera][index].sends(fail: receiver.errno != nil, at: now)
    }
  }

  /// Milliseconds until `next` has something to do; -1: not before something happens.
  func pause(at now: Int64) -> Int32 {
    guard let due = decisions.joined().compactMap(\.due).min() else { return -1 }
    return Int32(clamping: max(0, (due - now + 999_999) / 1_000_000))
  }

  /// What is to be done now. It begins to look up names itself.
  mutating func next(at now: Int64) -> [Command] {
    var commands: [Command] = []
    for camera in decisions.indices {
      for index in decisions[camera].indices {
        switch decisions[camera][index].next(at: now) {
        case .none: break
        case .reconnect: commands.append(.reconnect(camera: camera, receiver: index))
        case .resolve: resolve(endpoints[index].host)
        }
      }
    }
    return commands
  }

  /// Whether packets can be sent to what a name stands for.
  private func isReceiver(_ addresses: [SocketAddress], _ endpoint: Endpoint) -> Bool {
    guard let first = addresses.first else { return false }
    do throws(UsageError) { try StreamSettings.check(first, endpoint, route) } catch {
      log.error("\(error)")
      return false
    }
    return true
  }

  private func resolve(_ host: String) {
    do throws(SystemCallError) { try resolver.resolve(host) } catch {
      log.warning("\(host) is not looked up: \(error)")
    }
  }

  /// - Returns: a host's addresses, where it is found.
  private mutating func adopt(_ answer: NameResolver.Answer) -> [SocketAddress]? {
    switch answer.addresses {
    case .failure(let error):
      reportMissing(answer.host, error.reason)
      return nil
    case .success(let addresses) where addresses.isEmpty:
      reportMissing(answer.host, "it has no address")
      return nil
    case .success(let addresses):
      // The interface of a link-local address is found by its name each time that a socket connects.
      if names[answer.host] != nil, SocketAddress.isAddress(answer.host) { return nil }
      names[answer.host] = addresses
      return addresses
    }
  }

  private mutating func reportMissing(_ host: String, _ reason: String) {
    // One that was found once still has its address.
    guard names[host] == nil, reported.insert(host).inserted else { return }
    log.warning("\(AddressError(host: host, reason: reason)); it is looked up again until it is found")
  }
}
