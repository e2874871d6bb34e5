import Testing

@testable import LinuxIO

@Suite struct ReconnectTests {
  /// The port stays, also the second time, and so does what the socket can do.
  @Test(arguments: ["127.0.0.1", "::1"]) func aSenderKeepsItsPort(host: String) throws {
    let receiver = try DatagramReceiver(at: SocketAddress(host: host, port: 0), bufferBytes: 1 << 16)
    var sender = try DatagramSender(to: receiver.localAddress)
    let address = sender.localAddress
    let size = sender.largestPacket
    #expect(sender.connections == 1 && address.port != 0)
    for count in 2...3 {
      #expect(sender.reconnect() == nil && sender.connections == count)
      #expect(sender.localAddress == address && sender.isSegmenting && sender.largestPacket == size)
    }
    #expect(sender.path == NetworkPath(source: address))
  }

  /// It has its port from the beginning on, for RTCP's to stand next to it, and tries again with each packet.
  @Test func aMissingInterfaceIsWaitedFor() throws {
    var route = Route()
    route.interface = "no0"
    for host in ["192.0.2.1", "239.1.1.1", "ff15::1"] {
      var sender = try DatagramSender(to: SocketAddress(host: host, port: 5000), over: route)
      #expect(sender.localAddress.port != 0 && sender.connections == 0 && sender.largestPacket == nil)
      #expect(sender.path.source == nil && sender.path.interface == "no0" && sender.path.interfaceIndex == nil)
      #expect(sender.reconnect() == .noDevice)
      let batch = PacketBatch(capacity: 1)
      #expect(sender.send(batch, from: 0, count: 0) == .failed(.noDevice))
    }
  }

  /// RTCP's socket keeps its port, whether it was chosen by the kernel or not.
  @Test func aSocketKeepsItsPort() throws {
    let peer = try SocketAddress(host: "127.0.0.1", port: 9)
    let socket = try DatagramSocket(at: .any(.ipv4, port: 0))
    let address = socket.localAddress
    for _ in 0..<2 {
      #expect(socket.setInterface(nil, to: peer) == nil)
      #expect(socket.localAddress == address)
    }
  }
}
