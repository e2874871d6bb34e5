/// The source of a stream: a transport address and an SSRC. The same SSRC from another address is another source (RFC
/// 3550, 8.2).
public struct StreamSource: Equatable, Sendable {
  public let address: TransportAddress
  public let ssrc: UInt32
}
