import Glibc
import LinuxIO
import RTPCore
import Testing

@testable import streamer

/// Receivers that come and go while a camera streams.
@Suite struct ReceiversTests {
  /// A receiver's two sockets.
  private struct Receiver: ~Copyable {
    var stream: DatagramReceiver
    var reports: DatagramReceiver

    static func open() throws -> Receiver {
      while true {
        let stream = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1 << 20)
        let next = stream.localAddress.with(port: stream.localAddress.port &+ 1)
        guard let reports = try? DatagramReceiver(at: next, bufferBytes: 1 << 16) else { continue }
        return Receiver(stream: stream, reports: reports)
      }
    }

    var address: SocketAddress { stream.localAddress }

    /// Sequence numbers and markers of what came since the last call.
    mutating func packets() -> [(sequence: UInt16, marker: Bool)] {
      var packets: [(UInt16, Bool)] = []
      while true {
        let count = stream.receive()
        if count == 0 { return packets }
        for index in 0..<count {
          let bytes = stream.datagram(at: index)
          packets.append((UInt16(bytes[2]) << 8 | UInt16(bytes[3]), bytes[1] & 0x80 != 0))
        }
      }
    }

    /// Packet types of the reports that came, in compounds: 200 is a sender's, 203 a goodbye.
    mutating func reportTypes() -> [UInt8] {
      var types: [UInt8] = []
      for index in 0..<reports.receive() {
        let bytes = reports.datagram(at: index)
        var offset = 0
        while offset + 4 <= bytes.count {
          types.append(bytes[offset + 1])
          offset += 4 * (1 + Int(bytes[offset + 2]) << 8 + Int(bytes[offset + 3]))
        }
      }
      return types
    }
  }

  private func wait(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }

  private func thread(_ words: [String], to address: SocketAddress) throws -> CameraThread {
    let options = try StreamOptions(
      Arguments(["test:", "--size", "64x64", "--fps", "50", "--to", "\(address)"] + words))
    return try CameraThread(StreamSettings(options, camera: 0), number: 0)
  }

  /// The one that is there misses no packet; the one that comes begins with a frame, and is told when it is removed.
  @Test func theyComeAndGo() throws {
    var first = try Receiver.open()
    var second = try Receiver.open()
    let camera = try thread([], to: first.address)
    wait(300)
    camera.mailbox.post(.add(second.address))
    // Twice is once.
    camera.mailbox.post(.add(second.address))
    wait(400)
    camera.mailbox.post(.remove(second.address))
    wait(200)
    let seen = second.packets()
    let told = second.reportTypes()
    wait(200)
    let after = second.packets()
    camera.mailbox.post(.remove(first.address))
    wait(200)
    let before = first.packets()
    wait(200)
    let none = first.packets()
    camera.mailbox.post(.add(first.address))
    wait(300)
    let again = first.packets()
    camera.mailbox.post(.stop)
    camera.join()
    let state = camera.board.read()
    #expect(seen.count > 10 && seen.count < before.count && after.isEmpty && none.isEmpty && again.count > 5)
    let gaps = zip(before, before.dropFirst()).filter { $1.sequence != $0.sequence &+ 1 }
    #expect(gaps.isEmpty)
    // Its first packet is behind a marker of the stream, its last has one.
    let joint = before.firstIndex { $0.sequence == seen[0].sequence }
    #expect(joint.map { before[$0 - 1].marker } == true && seen.last?.marker == true)
    #expect(told.contains(200) && told.last == 203)
    #expect(state.statistics.partial == 0 && state.receivers.map(\.address) == [first.address])
    if case .stopped? = state.end {} else { Issue.record("\(state.end as Any)") }
  }

  /// A port where nobody listens, until somebody does.
  @Test func anOutageAndItsEndAreEvents() throws {
    var port = try Receiver.open().address
    let camera = try thread([], to: port)
    /// Waits until the camera's thread reported something.
    func events(_ isEnough: (ArraySlice<CameraEvent>) -> Bool) -> ArraySlice<CameraEvent> {
      for _ in 0..<200 {
        if isEnough(camera.board.peek().events.since(0)) { break }
        wait(100)
      }
      return camera.board.peek().events.since(0)
    }
    let failed = events { $0.contains(.receiverFailed(port, .connectionRefused)) }
    let receiver = try DatagramReceiver(at: port, bufferBytes: 1 << 20)
    port = receiver.localAddress
    let both = events { $0.contains { if case .receiverRecovered = $0 { true } else { false } } }
    camera.mailbox.post(.stop)
    camera.join()
    #expect(failed.count { $0 == .receiverFailed(port, .connectionRefused) } == 1)
    let recovered = both.compactMap { event -> (SocketAddress, SocketAddress?, Int64)? in
      if case .receiverRecovered(let address, let source, let outage) = event { (address, source, outage) } else { nil }
    }
    #expect(recovered.map(\.0) == [port] && recovered.first?.1?.host == "127.0.0.1")
    #expect(recovered.first.map { $0.2 >= 0 } == true && camera.board.peek().receivers.first?.errno == nil)
  }

  /// What the main thread was too slow for is counted.
  @Test func eventsThatAreNotKeptAreCounted() throws {
    let address = try SocketAddress(host: "127.0.0.1", port: 5000)
    var list = EventList()
    for _ in 0..<1000 { list.append(.receiverFailed(address, .networkUnreachable)) }
    #expect(list.count == 1000 && list.since(998).count == 2 && list.since(1000).isEmpty)
    #expect((1..<1000).contains(list.since(0).count))
  }
}
