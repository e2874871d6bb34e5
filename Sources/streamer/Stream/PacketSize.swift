import RTPCore

/// How large RTP packets are made, in bytes of UDP payload.
enum PacketSize: Equatable, Sendable {
  /// This large, whatever the way takes.
  case fixed(Int)
  /// As large as all receivers' ways take (their MTU), and no larger than this.
  case upTo(Int)

  var largest: Int {
    switch self {
    case .fixed(let size), .upTo(let size): size
    }
  }

  func choose(_ destinations: borrowing DestinationList) -> Int {
    switch self {
    case .fixed(let size): return size
    case .upTo(let most):
      var size = most
      for index in 0..<destinations.count { size = min(size, destinations[index].largestPacket ?? most) }
      return max(size, Packetizer.packetSizes.lowerBound)
    }
  }
}
