/// The hosts whose use of the stream's SSRC had it changed (RFC 3550, 8.2). Two random SSRCs hardly ever collide: who
/// does it again, or one host after another, forges it, or sends the stream's own packets back.
struct Conflicts: Sendable {
  private var hosts: [SIMD2<UInt64>] = []
  /// How many of them had it changed; the one after those, if there is one, is to have it changed.
  private var resolved = 0
  private static let maximumCount = 4

  /// Whether the SSRC has to be changed.
  mutating func isNew(_ address: TransportAddress) -> Bool {
    guard resolved < Self.maximumCount, !hosts.prefix(resolved).contains(address.host) else { return false }
    hosts.removeSubrange(resolved...)
    hosts.append(address.host)
    return true
  }

  /// The SSRC was changed.
  mutating func resolve() { resolved = hosts.count }
}
