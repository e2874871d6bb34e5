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
  /// When each frame was whole, by its RTP timestamp, in nanoseconds of CLOCK_MONOTONIC.
  private var arrivals: [UInt32: Int64] = [:]

  /// Several large frames, in bytes of the kernel's accounting.
  private static let bufferBytes = 8 << 20

  /// Two ports of 127.0.0.1 that are free, one behind the other.
  static func open() throws -> LoopbackReceiver {
    for _ in 0..<100 {
      let receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: bufferBytes)
      let address = receiver.localAddress
      guard address.port < .max else { continue }
      do throws(SystemCallError) {
        return LoopbackReceiver(receiver, try DatagramSocket(at: address.with(port: address.port + 1)))
      } catch {
        guard error.errno == .addressInUse else { throw error }
      }
    }
    throw Failure("no two ports of 127.0.0.1 in a row are free")
  }

  private init(_ receiver: consuming DatagramReceiver, _ reports: consuming DatagramSocket) {
    self.receiver = receiver
    self.reports = reports
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
      let now = Clock.monotonic
      for index in 0..<count {
        guard case .frame(_, _, _, let timestamp)? = depacketizer?.receive(receiver.datagram(at: index), arrival: now),
          arrivals[timestamp] == nil
        else { continue }
        arrivals[timestamp] = now
      }
    }
  }

  /// What came of frames that were sent.
  func reception(of timeline: [Measurement.Sample]) -> Reception {
    let arrivals = timeline.map { sample in sample.rtpTimestamp.flatMap { self.arrivals[$0] } }
    return Reception(timeline, arrivals: arrivals, droppedPackets: receiver.kernelDropped)
  }
}
