import LinuxIO

/// Which of their names' addresses a camera's receivers are sent to: where one refuses, the next one is tried. Each is at
/// once, and once all did, one a second.
struct AddressChoice {
  /// A receiver goes on at another address.
  struct Change: Equatable {
    /// nil: it had none.
    let old: SocketAddress?
    let new: SocketAddress
  }

  private struct Choice {
    var receiver: NamedReceiver
    /// How many were tried since one did not refuse.
    var tried = 1
    var isRefused = false
    /// The camera has no such receiver, or not yet.
    var isMissing = false
    /// When it was changed, in nanoseconds of `Clock.monotonic`.
    var changedAt = Int64.min / 2
  }

  /// One for each receiver.
  private var choices: [Choice]
  /// Each receiver's address; nil: its name is not found yet.
  private(set) var current: [SocketAddress?]
  /// The address of each receiver that was reported last.
  private(set) var destinations: [SocketAddress?]
  private let name: String
  private let log: Log
  private static let retryInterval: Int64 = 1_000_000_000
  /// An address is taken when no refusal came for so long.
  private static let settlingTime: Int64 = 2_000_000_000

  /// - Parameter receivers: else those of the settings.
  init(_ settings: StreamSettings, _ receivers: [NamedReceiver]? = nil) {
    let receivers = receivers ?? settings.receivers
    choices = receivers.map { Choice(receiver: $0) }
    current = receivers.map(\.first)
    destinations = current
    name = settings.camera.label
    log = settings.log
  }

  /// Milliseconds until `next` is to be called; -1: when there are news.
  var pause: Int32 { choices.indices.contains(where: isPending) ? 200 : -1 }

  /// The receivers with the addresses that their names had last.
  var receivers: [NamedReceiver] { choices.map(\.receiver) }

  private func isPending(_ index: Int) -> Bool {
    let choice = choices[index]
    guard choice.receiver.hasOthers else { return false }
    return choice.isRefused || choice.isMissing || choice.tried > 1 || current[index] != destinations[index]
  }

  /// Sees which receivers refuse.
  mutating func read(_ state: Board.State) {
    for index in choices.indices where choices[index].receiver.hasOthers {
      let receiver = state.receivers.first { $0.address == current[index] }
      choices[index].isRefused = receiver?.errno?.isOfAddress ?? false
      choices[index].isMissing = receiver == nil && choices[index].tried > 1
    }
  }

  /// Chooses other addresses where it is time to.
  mutating func next(now: Int64) -> [Change] {
    var changes: [Change] = []
    for index in choices.indices where choices[index].receiver.hasOthers {
      let age = now - choices[index].changedAt
      // What could not be added is tried no longer than what refuses.
      if !choices[index].isRefused, !choices[index].isMissing || age < Self.retryInterval {
        if choices[index].tried > 1, !choices[index].isMissing, age > Self.settlingTime { settle(index) }
        continue
      }
      let count = choices[index].receiver.addresses.count
      guard choices[index].tried < count || age > Self.retryInterval else { continue }
      if let change = change(index, now) { changes.append(change) }
    }
    return changes
  }

  private mutating func change(_ index: Int, _ now: Int64) -> Change? {
    let choice = choices[index]
    let old = current[index]
    let others = others(index)
    let addresses = choice.receiver.addresses
    guard let old, let place = addresses.firstIndex(of: old) else { return nil }
    let candidates = (1..<max(1, addresses.count)).map { addresses[(place + $0) % addresses.count] }
    guard let new = candidates.first(where: { !others.contains($0) }) else {
      choices[index].isRefused = false
      return nil
    }
    current[index] = new
    choices[index].changedAt = now
    choices[index].isRefused = false
    choices[index].tried += 1
    if choice.tried < addresses.count {
      log.info("\(name): \(choice.receiver.text(old)) refuses packets: \(new) is tried")
    } else if choice.tried == addresses.count {
      log.warning("\(name): no address of \(choice.receiver.host) takes packets yet; they are tried in turn")
    }
    return Change(old: old, new: new)
  }

  /// The other receivers' addresses.
  private func others(_ index: Int) -> [SocketAddress] {
    current.enumerated().filter { $0.offset != index }.compactMap(\.element)
  }

  /// A receiver's name was looked up again. It keeps its address if the name still has it.
  mutating func adopt(_ addresses: [SocketAddress], of index: Int, now: Int64) -> Change? {
    let old = current[index]
    let others = others(index)
    let receiver = NamedReceiver(host: choices[index].receiver.host, addresses: addresses)
    choices[index].receiver = receiver
    if let old, addresses.contains(old) { return nil }
    guard let new = addresses.first(where: { !others.contains($0) }) else { return nil }
    choices[index] = Choice(receiver: receiver, changedAt: now)
    current[index] = new
    destinations[index] = new
    log.info("\(name): \(receiver.host) is found: the stream goes to \(new)")
    return Change(old: old, new: new)
  }

  /// The one that is tried does not refuse.
  private mutating func settle(_ index: Int) {
    let hasWarned = choices[index].tried > choices[index].receiver.addresses.count
    choices[index].tried = 1
    guard let address = current[index], hasWarned || destinations[index] != address else { return }
    destinations[index] = address
    log.info("\(name): the stream goes to \(choices[index].receiver.text(address))")
  }
}
