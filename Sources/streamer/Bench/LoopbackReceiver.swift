import LinuxIO
import RTPCore
import V4L2Capture

/// The receiver within `bench --until received`: it puts frames together as any other does, over loopback, and notes when
/// each was whole.
struct LoopbackReceiver: ~Copyable {
  private var receiver: DatagramReceiver
  /// Takes the sender's reports, which nobody reads here.
  private let reports: DatagramSocket
  /// Made as soon as the pictures' size is known.
  private var depacketizer: Depacketizer?
  /// Reads the time that pictures show, if that is asked for.
  private var glass: GlassReader?
  /// What became of each frame that was whole, by its RTP timestamp.
  private var frames: [UInt32: ReceivedFrame] = [:]

  /// Several large frames, in bytes of the kernel's accounting.
  private static let bufferBytes = 8 << 20

  /// Two ports of 127.0.0.1 that are free, one behind the other.
  /// - Parameter readsGlass: the time that pictures show is read.
  static func open(readsGlass: Bool) throws -> LoopbackReceiver {
    for _ in 0..<100 {
      let receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: bufferBytes)
      let address = receiver.localAddress
      guard address.port < .max else { continue }
      do {
        let reports = try DatagramSocket(at: address.with(port: address.port + 1))
        return LoopbackReceiver(receiver, reports, glass: readsGlass ? try GlassReader() : nil)
      } catch let error as SystemCallError {
        guard error.errno == .addressInUse else { throw error }
      }
    }
    throw Failure("no two ports of 127.0.0.1 in a row are free")
  }

  private init(
    _ receiver: consuming DatagramReceiver, _ reports: consuming DatagramSocket, glass: consuming GlassReader?
  ) {
    self.receiver = receiver
    self.reports = reports
    self.glass = glass
  }

  /// For epoll.
  var number: Int32 { receiver.number }

  /// Where it receives.
  var address: SocketAddress { receiver.localAddress }

  /// Takes all that is there.
  /// - Parameter size: the pictures', which packets can't say over 2040 pixels.
  mutating func receive(_ size: FrameSize) {
    if depacketizer == nil {
      depacketizer = Depacketizer(dimensions: (UInt16(clamping: size.width), UInt16(clamping: size.height)))
    }
    while true {
      let count = receiver.receive()
      guard count > 0 else { return }
      let now = Clock.pair
      for index in 0..<count {
        let datagram = receiver.datagram(at: index)
        guard case .frame(let jpeg, _, _, let timestamp)? = depacketizer?.receive(datagram, arrival: now.monotonic),
          frames[timestamp] == nil
        else { continue }
        frames[timestamp] = ReceivedFrame(
          arrival: now.monotonic, sinceShown: glass?.latency(of: jpeg, arrival: now.realtime))
      }
    }
  }

  /// What came of frames that were sent.
  func reception(of timeline: [Measurement.Sample]) -> Reception {
    let received = timeline.map { sample in sample.rtpTimestamp.flatMap { frames[$0] } }
    return Reception(timeline, received, droppedPackets: receiver.kernelDropped, readsGlass: glass != nil)
  }
}
