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
    let receiver: NamedReceiver
    var current: SocketAddress
    /// The one that was reported last.
    var reported: SocketAddress
    /// How many were tried since one did not refuse.
    var tried = 1
    var isRefused = false
    /// When it was changed, in nanoseconds of `Clock.monotonic`.
    var changedAt = Int64.min / 2
  }

  private var choices: [Choice]
  private let name: String
  private let log: Log
  private static let retryInterval: Int64 = 1_000_000_000
  /// An address is taken when no refusal came for so long.
  private static let settlingTime: Int64 = 2_000_000_000

  /// - Parameter receivers: else those of the settings.
  init(_ settings: StreamSettings, _ receivers: [NamedReceiver]? = nil) {
    choices = (receivers ?? settings.receivers).compactMap { receiver in
      receiver.addresses.first.map { Choice(receiver: receiver, current: $0, reported: $0) }
    }
    name = settings.camera.label
    log = settings.options.log
  }

  /// The address of each receiver that was reported last.
  var destinations: [SocketAddress] { choices.map(\.reported) }

  /// Milliseconds until `next` is to be called; -1: when there are news.
  var pause: Int32 { choices.contains { $0.isRefused || $0.current != $0.reported || $0.tried > 1 } ? 200 : -1 }

  /// Sees which receivers refuse.
  mutating func read(_ state: Board.State) {
    for index in choices.indices where choices[index].receiver.addresses.count > 1 {
      let receiver = state.receivers.first { $0.address == choices[index].current }
      choices[index].isRefused = receiver?.errno?.isOfAddress ?? false
    }
  }

  /// Chooses other addresses where it is time to.
  mutating func next(now: Int64) -> [Change] {
    var changes: [Change] = []
    for index in choices.indices {
      let age = now - choices[index].changedAt
      if !choices[index].isRefused {
        if choices[index].tried > 1, age > Self.settlingTime { settle(index) }
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
    let others = choices.enumerated().filter { $0.offset != index }.map(\.element.current)
    let addresses = choice.receiver.addresses
    guard let place = addresses.firstIndex(of: choice.current) else { return nil }
    let candidates = (1..<max(1, addresses.count)).map { addresses[(place + $0) % addresses.count] }
    guard let new = candidates.first(where: { !others.contains($0) }) else {
      choices[index].isRefused = false
      return nil
    }
    choices[index].current = new
    choices[index].changedAt = now
    choices[index].isRefused = false
    choices[index].tried += 1
    if choice.tried < addresses.count {
      log.info("\(name): \(choice.receiver.text(choice.current)) refuses packets: \(new) is tried")
    } else if choice.tried == addresses.count {
      log.warning("\(name): no address of \(choice.receiver.host) takes packets yet; they are tried in turn")
    }
    return Change(old: choice.current, new: new)
  }

  /// The one that is tried does not refuse.
  private mutating func settle(_ index: Int) {
    let hasWarned = choices[index].tried > choices[index].receiver.addresses.count
    choices[index].tried = 1
    guard hasWarned || choices[index].reported != choices[index].current else { return }
    choices[index].reported = choices[index].current
    log.info("\(name): the stream goes to \(choices[index].receiver.text(choices[index].current))")
  }
}
