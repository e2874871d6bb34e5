import LinuxIO
import Testing

@testable import streamer

/// Lists of events, and what is decided.
@Suite struct ReconnectDecisionTests {
  private let ms: Int64 = 1_000_000
  private let second: Int64 = 1_000_000_000
  private let mine: SocketAddress
  private let other: SocketAddress

  init() throws {
    mine = try SocketAddress(host: "192.0.2.7", port: 4000)
    other = try SocketAddress(host: "192.0.2.8", port: 0)
  }

  private func connected(
    _ source: SocketAddress?, interface: String? = nil, index: UInt32? = nil, isMulticast: Bool = false,
    hasName: Bool = false
  ) -> ReconnectDecision {
    var decision = ReconnectDecision(hasName: hasName)
    decision.connected(
      through: NetworkPath(source: source, interface: interface, interfaceIndex: index, isMulticast: isMulticast))
    return decision
  }

  private func added(_ address: SocketAddress, _ state: NetworkEvent.AddressState = .usable) -> NetworkEvent {
    .addressAdded(address, interface: 2, state: state)
  }

  private func up(_ name: String, _ index: UInt32) -> NetworkEvent {
    .linkChanged(name: name, index: index, isUp: true, isNew: false)
  }

  @Test func whatDoesNotConcernItIsIgnored() {
    var decision = connected(mine, interface: "eth0", index: 2)
    let events = [
      added(other), .addressRemoved(other, interface: 2), .linkRemoved(name: "wg0", index: 9), .routesChanged,
      up("eth0", 2), .linkChanged(name: "eth0", index: 2, isUp: false, isNew: false),
    ]
    for event in events { decision.network(event, at: 0) }
    #expect(decision.due == nil && decision.next(at: second) == .none)
  }

  @Test func itsSourceAddressGoes() {
    var decision = connected(mine)
    decision.network(.addressRemoved(mine.with(port: 0), interface: 2), at: 0)
    #expect(decision.next(at: 0) == .none && decision.due == 100 * ms)
    #expect(decision.next(at: 100 * ms) == .reconnect && decision.due == nil)
  }

  /// A burst makes one reconnection, and one that does not end is not waited for.
  @Test func aBurstMakesOne() {
    var decision = connected(mine)
    var count = 0
    for step in 0..<100 {
      let now = Int64(step) * 10 * ms
      decision.network(.addressRemoved(mine, interface: 2), at: now)
      if decision.next(at: now) == .reconnect { count += 1 }
    }
    // A second of it: once each half.
    #expect(count <= 2)
    var quiet = connected(mine)
    quiet.network(.addressRemoved(mine, interface: 2), at: 0)
    quiet.network(added(other), at: 50 * ms)
    quiet.network(.routesChanged, at: 90 * ms)
    #expect(quiet.next(at: 100 * ms) == .none && quiet.next(at: 190 * ms) == .reconnect)
    #expect(quiet.due == nil)
  }

  /// DHCP gives another address 3 s after the old one went: the reconnection between could not find any.
  @Test func theNextAddressIsTaken() {
    var decision = connected(mine)
    decision.network(.addressRemoved(mine, interface: 2), at: 0)
    #expect(decision.next(at: 100 * ms) == .reconnect)
    decision.sends(fail: true, at: 110 * ms)
    decision.network(added(other, .tentative), at: 2 * second)
    #expect(decision.due == nil)
    decision.network(added(other), at: 3 * second)
    #expect(decision.next(at: 3 * second + 100 * ms) == .reconnect)
  }

  /// After an outage a better address may come; later ones are none of this outage.
  @Test func aBetterOneAfterAnOutageIsTaken() {
    var decision = connected(mine)
    decision.sends(fail: true, at: 0)
    decision.sends(fail: false, at: second)
    decision.network(added(other), at: 60 * second)
    #expect(decision.next(at: 61 * second) == .reconnect)
    // Its routes follow.
    decision.network(.routesChanged, at: 63 * second)
    #expect(decision.next(at: 64 * second) == .reconnect)
    decision.network(added(other), at: 90 * second)
    #expect(decision.due == nil)
  }

  @Test func aProvisionalAddressIsLeft() throws {
    var decision = connected(try SocketAddress(host: "169.254.3.4", port: 1))
    for time: Int64 in [0, 100] {
      decision.network(added(other), at: time * second)
      #expect(decision.next(at: time * second + 100 * ms) == .reconnect)
    }
  }

  @Test func itsInterfaceIsMadeAgain() {
    var decision = connected(mine, interface: "wg0", index: 5)
    decision.network(.linkRemoved(name: "wg0", index: 5), at: 0)
    #expect(decision.next(at: 100 * ms) == .reconnect)
    // Its removal went unseen.
    var other = connected(mine, interface: "wg0", index: 5)
    other.network(.linkChanged(name: "wg0", index: 6, isUp: false, isNew: true), at: 0)
    #expect(other.next(at: 100 * ms) == .reconnect)
    // It was not there at the start.
    var waiting = connected(nil, interface: "wg0")
    waiting.network(.linkChanged(name: "wg0", index: 6, isUp: false, isNew: true), at: 0)
    #expect(waiting.next(at: 100 * ms) == .reconnect)
    // A group's packets may leave by any.
    var group = connected(mine, isMulticast: true)
    group.network(.linkRemoved(name: "usb0", index: 9), at: 0)
    #expect(group.next(at: 100 * ms) == .reconnect)
  }

  /// Each interface can have the same link-local address.
  @Test func aLinkLocalAddressIsOfItsInterface() throws {
    let local = try SocketAddress(host: "fe80::1", port: 0)
    var decision = connected(local, interface: "eth0", index: 2)
    decision.network(.addressRemoved(local, interface: 3), at: 0)
    #expect(decision.due == nil)
    decision.network(.addressRemoved(local, interface: 2), at: 0)
    #expect(decision.next(at: 100 * ms) == .reconnect)
  }

  @Test func anotherHostHasItsAddress() {
    var decision = connected(mine)
    decision.network(added(mine, .duplicate), at: 0)
    #expect(decision.next(at: 100 * ms) == .reconnect)
  }

  @Test func lostEventsMayHaveBeenAny() {
    var decision = connected(mine)
    decision.network(.eventsLost, at: 0)
    #expect(decision.next(at: 100 * ms) == .reconnect)
  }

  /// Less and less often, and no longer once packets arrive.
  @Test func aNameIsLookedUpWhilePacketsAreLost() {
    var decision = connected(mine, hasName: true)
    decision.sends(fail: true, at: 0)
    #expect(decision.next(at: 4 * second) == .none && decision.next(at: 5 * second) == .resolve)
    #expect(decision.next(at: 14 * second) == .none && decision.next(at: 15 * second) == .resolve)
    decision.sends(fail: true, at: 16 * second)
    #expect(decision.next(at: 34 * second) == .none && decision.next(at: 35 * second) == .resolve)
    decision.sends(fail: false, at: 36 * second)
    #expect(decision.due == nil)
    var address = connected(mine)
    address.sends(fail: true, at: 0)
    #expect(address.due == nil)
  }

  @Test func aMissingNameIsLookedUpAtOnceWhenTheNetworkComes() {
    var decision = ReconnectDecision(hasName: true)
    decision.isUnresolved(at: 0)
    #expect(decision.due == second && decision.next(at: second) == .resolve && decision.due == nil)
    decision.isUnresolved(at: 2 * second)
    decision.network(added(other), at: 2 * second + ms)
    #expect(decision.next(at: 2 * second + 101 * ms) == .resolve)
    var pauses: [Int64] = []
    var now = 10 * second
    for _ in 0..<40 {
      decision.isUnresolved(at: now)
      pauses.append((decision.due ?? 0) - now)
      now += pauses[pauses.count - 1]
      #expect(decision.next(at: now) == .resolve)
    }
    #expect(pauses[0] == second && pauses[39] == 10 * second && pauses == pauses.sorted())
    decision.connected(through: NetworkPath(source: mine))
    #expect(decision.due == nil)
  }
}
