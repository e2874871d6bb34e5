import LinuxIO
import RTPCore
import Testing
import V4L2Capture

@testable import streamer

/// A session without a camera: what becomes of the frame in flight.
@Suite struct RTPSessionTests {
  /// A frame's memory, and how many times it went back.
  private final class Lender {
    let memory: UnsafeMutableRawBufferPointer
    var returned = 0

    init(_ bytes: [UInt8]) {
      memory = .allocate(byteCount: bytes.count, alignment: 8)
      memory.copyBytes(from: bytes)
    }

    deinit { memory.deallocate() }

    func frame() -> Frame {
      Frame(
        bytes: UnsafeRawBufferPointer(memory), sequence: 0, timestamp: Clock.monotonic,
        lender: Unmanaged.passUnretained(self).toOpaque(), index: 0
      ) { lender, _ in Unmanaged<Lender>.fromOpaque(lender).takeUnretainedValue().returned += 1 }
    }
  }

  /// A session with its receivers, and what it is counted in.
  private struct Stage: ~Copyable {
    var session: RTPSession
    var record = StreamRecord(nil)
    let events: LoopEvents
    var reader = FrameReader(repairs: false, recodes: false)

    init(pace: Pace.Setting = .off) throws {
      var settings = SessionSettings()
      settings.pace = pace
      settings.packetSize = .fixed(1400)
      let wakeup = try EventFD()
      let events = try LoopEvents(mailbox: wakeup.number, statsSeconds: nil)
      var session = RTPSession(settings, ssrc: 7, board: try Board())
      session.prepare(largestFrame: 1 << 20, interval: 33_333_333)
      self.events = events
      self.session = session
    }

    mutating func send(_ frame: consuming Frame) throws {
      let picture = try reader.read(frame.bytes, isExact: true)
      session.finishPreviousFrame(&record)
      try session.plan(picture, timestamp: frame.timestamp)
      session.hold(frame, picture)
      try session.sendAll(&record, events)
    }
  }

  private func receiver() throws -> DatagramReceiver {
    try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1 << 22)
  }

  /// Sequence numbers of what came.
  private func sequences(_ receiver: inout DatagramReceiver) -> [UInt16] {
    var numbers: [UInt16] = []
    while true {
      let count = receiver.receive()
      if count == 0 { return numbers }
      for index in 0..<count {
        let bytes = receiver.datagram(at: index)
        numbers.append(UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
      }
    }
  }

  /// A frame goes back when it was sent, and not before; with nobody to send it to, at once.
  @Test func framesGoBackWhenTheyAreSent() throws {
    let lender = Lender(try TestJPEG.make(width: 1920, height: 1200))
    let receiver = try receiver()
    var stage = try Stage(pace: .on)
    try stage.send(lender.frame())
    #expect(lender.returned == 1)
    try stage.session.add(receiver.localAddress, stage.events)
    try stage.send(lender.frame())
    // Pacing holds the rest of it.
    let isSending = stage.session.isSending
    let mayWait = stage.session.acceptsFrame(keepsAll: false)
    #expect(isSending && !mayWait && lender.returned == 1)
    stage.session.finish(&stage.record)
    #expect(lender.returned == 2 && stage.record.statistics.sent == 1)
  }

  /// The only receiver goes in mid-frame: the frame ends.
  @Test func aReceiverThatGoesEndsItsFrame() throws {
    let lender = Lender(try TestJPEG.make(width: 1920, height: 1200))
    let (one, other) = (try receiver().localAddress, try receiver().localAddress)
    var stage = try Stage(pace: .on)
    try stage.session.add(one, stage.events)
    try stage.session.add(other, stage.events)
    try stage.send(lender.frame())
    try stage.session.remove(one, &stage.record, stage.events)
    let isSending = stage.session.isSending
    #expect(isSending && lender.returned == 0)
    try stage.session.remove(other, &stage.record, stage.events)
    let isOver = !stage.session.isSending
    #expect(isOver && lender.returned == 1)
  }

  /// A frame that began to arrive and ends so is abandoned; one of which nothing was sent leaves no gap in the numbers.
  @Test(arguments: [false, true]) func anArrivingFrameEnds(isSent: Bool) throws {
    let lender = Lender(try TestJPEG.make(width: 640, height: 480))
    let bytes = UnsafeRawBufferPointer(lender.memory)
    var receiver = try receiver()
    var stage = try Stage()
    try stage.session.add(receiver.localAddress, stage.events)
    try stage.send(lender.frame())
    let first = sequences(&receiver)
    let begun = try stage.reader.begin(bytes)
    let picture = try #require(begun)
    let start = try #require(bytes.baseAddress)
    stage.session.finishPreviousFrame(&stage.record)
    stage.session.begin(.init(start: start, picture: picture, firstSeen: nil), timestamp: Clock.monotonic)
    let isOther = try !stage.session.extend(UnsafeRawBufferPointer(rebasing: bytes[1...]))
    let isOne = try stage.session.extend(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]))
    #expect(isOther && isOne && stage.session.arriving?.start == start)
    if isSent { try stage.session.sendAll(&stage.record, stage.events) }
    let arrived = sequences(&receiver)
    #expect(arrived.isEmpty != isSent)
    try stage.send(lender.frame())
    let next = sequences(&receiver)
    let numbers = first + arrived + next
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    #expect(stage.record.statistics.abandoned == (isSent ? 1 : 0) && stage.record.statistics.sent == 2)
    #expect(lender.returned == 2)
  }
}
