import Testing

@testable import LinuxIO

@Suite struct DatagramTests {
  private func batch(_ packets: [(header: [UInt8], payload: [UInt8])], _ body: (borrowing PacketBatch) throws -> Void)
    rethrows
  {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { memory.deallocate() }
    var batch = PacketBatch(capacity: packets.count)
    var offset = 0
    func place(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
      defer { offset += bytes.count }
      UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).copyBytes(from: bytes)
      return UnsafeRawBufferPointer(rebasing: memory[offset..<offset + bytes.count])
    }
    for packet in packets { batch.append(header: place(packet.header), payload: place(packet.payload)) }
    try body(batch)
  }

  /// Waits for `count` datagrams, a second at most.
  private func collect(_ count: Int, _ receiver: inout DatagramReceiver) throws -> [[UInt8]] {
    let epoll = try Epoll()
    try epoll.add(receiver.number, .readable, token: 0)
    var received: [[UInt8]] = []
    while received.count < count, epoll.wait(milliseconds: 1000) > 0 {
      let number = receiver.receive()
      for index in 0..<number { received.append(Array(receiver.datagram(at: index))) }
    }
    return received
  }

  /// With UDP GSO and without; the last packet is shorter, or the last of all is one of its own.
  @Test(arguments: ["127.0.0.1", "::1"], [(true, 200), (true, 1), (false, 200)])
  func packetsArriveAsTheyWereSent(host: String, way: (segments: Bool, last: Int)) throws {
    var receiver = try DatagramReceiver(at: SocketAddress(host: host, port: 0, passive: true), bufferBytes: 1 << 20)
    var sender = try DatagramSender(
      to: SocketAddress(host: host, port: receiver.localAddress.port), segments: way.segments)
    #expect(sender.isSegmenting == way.segments)
    var packets: [(header: [UInt8], payload: [UInt8])] = []
    for number in 0..<150 {
      let size = number == 149 ? way.last : 1000
      packets.append(([UInt8(number), UInt8(number % 7)], [UInt8](repeating: UInt8(number), count: size)))
    }
    batch(packets) { batch in
      #expect(batch.byteCount == packets.reduce(0) { $0 + 2 + $1.payload.count })
      #expect(batch.packetSize == 1002 && batch.byteCount(148..<150) == 1004 + way.last)
      #expect(sender.send(batch, from: 0, count: 3) == .sent(3))
      var next = 3
      var calls = 0
      while next < 150, case .sent(let count) = sender.send(batch, from: next, count: 150 - next) {
        next += count
        calls += 1
      }
      // 64 packets a call is what kernels take.
      #expect(next == 150 && calls == (way.segments ? 3 : 1))
    }
    #expect(try collect(150, &receiver) == packets.map { $0.header + $0.payload })
    #expect(receiver.kernelDropped == 0)
  }

  /// A packet that is larger than loopback takes is refused, whole, and the way's MTU is known.
  @Test(arguments: [true, false]) func whatIsTooLargeIsTold(segments: Bool) throws {
    let receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1 << 20)
    var sender = try DatagramSender(to: receiver.localAddress, segments: segments)
    #expect(sender.largestPacket == 65_507)
    let packets = (0..<2).map { _ in (header: [UInt8](), payload: [UInt8](repeating: 0, count: 65_508)) }
    batch(packets) { batch in #expect(sender.send(batch, from: 0, count: 2) == .tooLarge) }
  }

  @Test func aFullSocketWouldBlock() throws {
    // A receiver that never reads takes what its buffer holds; past that the kernel drops, and counts.
    var receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1)
    var sender = try DatagramSender(to: receiver.localAddress, segments: false)
    let packets = (0..<50).map { _ in (header: [UInt8](), payload: [UInt8](repeating: 0, count: 1400)) }
    batch(packets) { batch in #expect(sender.send(batch, from: 0, count: 50) == .sent(50)) }
    let first = try collect(1, &receiver).count
    #expect(first < 50)
    // The count comes with a datagram that was queued behind the drops.
    batch([([1], [2])]) { batch in #expect(sender.send(batch, from: 0, count: 1) == .sent(1)) }
    let second = try collect(1, &receiver).count
    #expect(receiver.kernelDropped == UInt64(51 - first - second))
  }

  @Test func nobodyListensIsTold() throws {
    // The discard service of old: below the ports that other tests get.
    var sender = try DatagramSender(to: SocketAddress(host: "127.0.0.1", port: 9))
    batch([([1], [2])]) { batch in
      #expect(sender.send(batch, from: 0, count: 1) == .sent(1))
      #expect(sender.takeError() == .connectionRefused)
      #expect(sender.takeError() == nil)
    }
  }

  @Test func aPortThatIsTakenIsSaid() throws {
    let receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1)
    let address = receiver.localAddress
    do throws(SystemCallError) {
      _ = try DatagramReceiver(at: address, bufferBytes: 1)
      Issue.record("two receivers on one port")
    } catch {
      #expect(error.errno == .addressInUse && error.description.contains("another program receives there"))
    }
  }
}

@Suite struct SocketAddressTests {
  @Test func knowsAddresses() throws {
    let four = try SocketAddress(host: "192.0.2.7", port: 5001)
    #expect(four.description == "192.0.2.7:5001" && !four.isMulticast && four.family == .ipv4)
    let six = try SocketAddress(host: "2001:db8::7", port: 5001)
    #expect(six.description == "[2001:db8::7]:5001" && !six.isMulticast && six.family == .ipv6)
    #expect(try SocketAddress(host: "239.255.0.1", port: 1).isMulticast)
    #expect(try SocketAddress(host: "224.0.0.1", port: 1).isMulticast)
    #expect(try !SocketAddress(host: "240.0.0.1", port: 1).isMulticast)
    #expect(try SocketAddress(host: "ff15::1", port: 1).isMulticast)
    #expect(try SocketAddress(host: "localhost", port: 9).port == 9)
  }

  @Test func saysWhichHostIsNotFound() {
    do throws(AddressError) {
      _ = try SocketAddress(host: "no such host", port: 1)
      Issue.record("found")
    } catch { #expect(error.description.contains("no such host")) }
  }
}
