import LinuxIO

/// Which of their names' addresses a camera's receivers are sent to: where one refuses, the next one is tried. Each is at
/// once, and once all did, one a second.
struct AddressChoice {
  /// A receiver goes on at another address.
  struct Change: Equatable {
    let old: SocketAddress
    let new: SocketAddress
  }

  private struct Choice {
    /// Which of the camera's receivers.
    let index: Int
    let receiver: NamedReceiver
    /// How many were tried since one did not refuse.
    var tried = 1
    var isRefused = false
    /// The camera has no such receiver, or not yet.
    var isMissing = false
    /// When it was changed, in nanoseconds of `Clock.monotonic`.
    var changedAt = Int64.min / 2
  }

  /// Those that have more than one address.
  private var choices: [Choice]
  /// Each receiver's address.
  private var current: [SocketAddress]
  /// The address of each receiver that was reported last.
  private(set) var destinations: [SocketAddress]
  private let name: String
  private let log: Log
  private static let retryInterval: Int64 = 1_000_000_000
  /// An address is taken when no refusal came for so long.
  private static let settlingTime: Int64 = 2_000_000_000

  /// - Parameter receivers: else those of the settings.
  init(_ settings: StreamSettings, _ receivers: [NamedReceiver]? = nil) {
    let receivers = receivers ?? settings.receivers
    choices = receivers.enumerated().filter(\.element.hasOthers).map {
      Choice(index: $0.offset, receiver: $0.element)
    }
    current = receivers.map(\.first)
    destinations = current
    name = settings.camera.label
    log = settings.options.log
  }

  /// Milliseconds until `next` is to be called; -1: when there are news.
  var pause: Int32 { choices.contains(where: isPending) ? 200 : -1 }

  private func isPending(_ choice: Choice) -> Bool {
    choice.isRefused || choice.isMissing || choice.tried > 1 || current[choice.index] != destinations[choice.index]
  }

  /// Sees which receivers refuse.
  mutating func read(_ state: Board.State) {
    for index in choices.indices {
      let receiver = state.receivers.first { $0.address == current[choices[index].index] }
      choices[index].isRefused = receiver?.errno?.isOfAddress ?? false
      choices[index].isMissing = receiver == nil && choices[index].tried > 1
    }
  }

  /// Chooses other addresses where it is time to.
  mutating func next(now: Int64) -> [Change] {
    var changes: [Change] = []
    for index in choices.indices {
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
    let old = current[choice.index]
    let others = current.enumerated().filter { $0.offset != choice.index }.map(\.element)
    let addresses = choice.receiver.addresses
    guard let place = addresses.firstIndex(of: old) else { return nil }
    let candidates = (1..<max(1, addresses.count)).map { addresses[(place + $0) % addresses.count] }
    guard let new = candidates.first(where: { !others.contains($0) }) else {
      choices[index].isRefused = false
      return nil
    }
    current[choice.index] = new
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

  /// The one that is tried does not refuse.
  private mutating func settle(_ index: Int) {
    let hasWarned = choices[index].tried > choices[index].receiver.addresses.count
    choices[index].tried = 1
    let place = choices[index].index
    guard hasWarned || destinations[place] != current[place] else { return }
    destinations[place] = current[place]
    log.info("\(name): the stream goes to \(choices[index].receiver.text(current[place]))")
  }
}
