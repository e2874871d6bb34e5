import LinuxIO
import Testing

@testable import streamer

@Suite struct AddressChoiceTests {
  private let second: Int64 = 1_000_000_000
  private let one: SocketAddress
  private let other: SocketAddress

  init() throws {
    one = try SocketAddress(host: "::1", port: 5000)
    other = try SocketAddress(host: "127.0.0.1", port: 5000)
  }

  private func choice(_ receivers: [NamedReceiver]) throws -> AddressChoice {
    let options = try StreamOptions(Arguments(["test:", "--to", "127.0.0.1:5000", "--log-level", "error"]))
    return AddressChoice(try StreamSettings(options, camera: 0), receivers)
  }

  private func refused(_ address: SocketAddress, _ errno: Errno? = .connectionRefused) -> Board.State {
    var state = Board.State()
    state.receivers = [.init(address: address, errno: errno)]
    return state
  }

  /// At once the first time round, then one a second; what does not refuse for two seconds is taken.
  @Test func theNextOneIsTriedWhereOneRefuses() throws {
    var choice = try choice([NamedReceiver(host: "localhost", addresses: [one, other])])
    #expect(choice.next(now: 0).isEmpty && choice.pause == -1)
    choice.read(refused(one))
    #expect(choice.next(now: 0) == [.init(old: one, new: other)])
    #expect(choice.destinations == [one] && choice.pause > 0)
    choice.read(refused(other, nil))
    #expect(choice.next(now: second).isEmpty && choice.destinations == [one])
    #expect(choice.next(now: 3 * second).isEmpty && choice.destinations == [other] && choice.pause == -1)
    choice.read(refused(other))
    #expect(choice.next(now: 9 * second) == [.init(old: other, new: one)])
    choice.read(refused(one))
    #expect(choice.next(now: 9 * second + 1).isEmpty)
    #expect(choice.next(now: 10 * second + 1) == [.init(old: one, new: other)])
    #expect(choice.destinations == [other])
  }

  /// A full queue, a firewall: another address of the same host has them, too.
  @Test func otherErrorsAreNoReason() throws {
    var choice = try choice([NamedReceiver(host: "localhost", addresses: [one, other])])
    choice.read(refused(one, .messageTooLarge))
    #expect(choice.next(now: 0).isEmpty)
    var single = try self.choice([NamedReceiver(host: "::1", addresses: [one])])
    single.read(refused(one))
    #expect(single.next(now: 0).isEmpty)
  }

  @Test func anotherReceiversAddressIsNotTaken() throws {
    var choice = try choice([
      NamedReceiver(host: "127.0.0.1", addresses: [other]), NamedReceiver(host: "localhost", addresses: [one, other]),
    ])
    choice.read(refused(one))
    #expect(choice.next(now: 0).isEmpty)
  }

  /// A name that was not found, and is; one that has the address still; one that moved.
  @Test func aNameThatIsLookedUpAgain() throws {
    var choice = try choice([NamedReceiver(host: "viewer", addresses: [])])
    #expect(choice.current == [nil] && choice.pause == -1 && choice.next(now: 0).isEmpty)
    #expect(choice.adopt([other], of: 0, now: 0) == .init(old: nil, new: other))
    #expect(choice.adopt([one, other], of: 0, now: 1) == nil && choice.current == [other])
    #expect(choice.adopt([one], of: 0, now: 2) == .init(old: other, new: one))
    #expect(choice.destinations == [one] && choice.receivers.map(\.addresses) == [[one]])
  }
}
