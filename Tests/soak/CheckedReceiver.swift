import LinuxIO

@testable import RTPCore
@testable import streamer

/// A receiver of one camera's stream, which checks what arrives.
final class CheckedReceiver {
  let address: SocketAddress
  private var socket: DatagramReceiver?
  private var reports: DatagramReceiver?
  private let isMuxed: Bool
  private let ssrc: UInt32
  /// It is sent the stream.
  var isMember = false

  /// What is wrong.
  private(set) var findings: [String] = []
  /// Packets that are missing for no reason that this receiver knows.
  private(set) var missing: UInt64 = 0
  /// Frames without a last packet.
  private(set) var unfinished: UInt64 = 0
  private(set) var frames: UInt64 = 0
  /// When the last whole frame came.
  private(set) var lastFrame: Int64 = 0
  /// The number of the last frame that came, of those that the camera gave.
  private var lastNumber = -1
  private var expected: UInt16?
  private var timestamp: UInt32?
  private var scan: [UInt8] = []
  /// nil: no frame is in flight whose packets were all there.
  private var frameTimestamp: UInt32?
  private var mayGapUntil: Int64 = .max
  private var kernelDropped: UInt64 = 0

  /// Binds to two ports of this machine in a row.
  init(ssrc: UInt32, isMuxed: Bool) throws {
    (self.ssrc, self.isMuxed) = (ssrc, isMuxed)
    // Beyond the ports that the kernel gives to sockets of its choice: it must be free again later.
    for _ in 0..<1000 {
      let port = 2 * UInt16.random(in: 5000..<16_000)
      guard let address = try? SocketAddress(host: "127.0.0.1", port: port),
        let socket = try? DatagramReceiver(at: address, bufferBytes: 1 << 22),
        let reports = try? DatagramReceiver(
          at: SocketAddress(host: "127.0.0.1", port: port + 1), bufferBytes: 1 << 16)
      else { continue }
      self.address = address
      self.socket = consume socket
      self.reports = consume reports
      return
    }
    throw Failure("soak: no two ports in a row are free")
  }

  var isOpen: Bool { socket != nil }

  /// Nobody listens any more: packets are refused.
  func close() {
    socket = nil
    reports = nil
  }

  func open() throws {
    guard socket == nil else { return }
    socket = try DatagramReceiver(at: address, bufferBytes: 1 << 22)
    reports = try DatagramReceiver(
      at: SocketAddress(host: "127.0.0.1", port: address.port + 1), bufferBytes: 1 << 16)
    kernelDropped = 0
    expectGap()
  }

  /// The stream may go on anywhere, within a few seconds.
  func expectGap() { mayGapUntil = Clock.monotonic + 3_000_000_000 }

  /// Another stream begins.
  func restart() {
    receive(GivenFrames(), nil)
    (expected, timestamp, frameTimestamp, missing, unfinished) = (nil, nil, nil, 0, 0)
  }

  /// Receives all that is there.
  func receive(_ given: GivenFrames, _ pictures: Pictures?) {
    while let count = reports?.receive(), count > 0 {}
    while let count = socket?.receive(), count > 0 {
      for index in 0..<count {
        guard let bytes = socket?.datagram(at: index) else { continue }
        let isReport = bytes.count > 1 && (200...207).contains(bytes[1])
        if isReport, !isMuxed { findings.append("an RTCP packet came to the port for RTP") }
        if !isReport, let pictures { take(bytes, given, pictures) }
      }
    }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, _ given: GivenFrames, _ pictures: Pictures) {
    guard let packet = RTPHeader.read(bytes), let fragment = try? Fragment(packet) else {
      return findings.append("a packet is no RTP/JPEG")
    }
    let header = packet.header
    if header.ssrc != ssrc { findings.append("a packet has SSRC \(header.ssrc) in place of \(ssrc)") }
    follow(header)
    if let timestamp, Int32(bitPattern: header.timestamp &- timestamp) < 0 {
      findings.append("timestamps go back by \(timestamp &- header.timestamp)")
    }
    if header.timestamp != timestamp {
      if frameTimestamp != nil { unfinished += 1 }
      (frameTimestamp, scan) = (fragment.header.offset == 0 ? header.timestamp : nil, [])
    }
    timestamp = header.timestamp
    guard frameTimestamp != nil else { return }
    guard Int(fragment.header.offset) == scan.count else {
      return findings.append("a packet has offset \(fragment.header.offset), \(scan.count) bytes came before it")
    }
    scan += fragment.scan
    guard header.marker else { return }
    frameTimestamp = nil
    check(given, pictures)
  }

  private func follow(_ header: RTPHeader) {
    defer { expected = header.sequence &+ 1 }
    guard let expected, expected != header.sequence else { return }
    frameTimestamp = nil
    let dropped = socket?.kernelDropped ?? 0
    let step = UInt64(header.sequence &- expected)
    defer { kernelDropped = dropped }
    if Clock.monotonic < mayGapUntil { return }
    missing += step - min(step, dropped - min(dropped, kernelDropped))
  }

  /// A frame is whole.
  private func check(_ given: GivenFrames, _ pictures: Pictures) {
    guard let index = pictures.index(of: scan), let (number, isGood) = given.number(of: index) else {
      return findings.append("a frame of \(scan.count) bytes is none that the camera gave")
    }
    if !isGood { findings.append("frame \(number), which is bad, was sent") }
    if number <= lastNumber { findings.append("frame \(number) came after frame \(lastNumber)") }
    lastNumber = number
    frames += 1
    lastFrame = Clock.monotonic
  }
}
