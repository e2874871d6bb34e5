/// The source of a stream: a transport address and an SSRC. The same SSRC from another address is another source (RFC
/// 3550, 8.2).
public struct StreamSource: Equatable, Sendable {
  public let address: TransportAddress
  public let ssrc: UInt32

  /// Whether a sender that restarted can have become this source: its socket has another port now, or its stream another
  /// SSRC. Without addresses nothing is known of that.
  func mayBeRestart(of other: StreamSource) -> Bool {
    address.host == other.address.host && address.host != .zero
      && (address.port == other.address.port || ssrc == other.ssrc)
  }
}
