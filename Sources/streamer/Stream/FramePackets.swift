import LinuxIO
import RTPCore

/// The RTP packets of one frame, which all receivers are sent.
struct FramePackets: ~Copyable {
  private var packetizer: Packetizer
  private(set) var batch: PacketBatch
  private var largestFrame = Self.leastFrame

  init(_ settings: SessionSettings, ssrc: UInt32) {
    packetizer = Packetizer(
      packetSize: settings.packetSize.largest, largestFrame: Self.leastFrame, payloadType: settings.payloadType,
      ssrc: ssrc, onvifExtension: settings.onvifExtension)
    batch = PacketBatch(capacity: packetizer.capacity)
  }

  /// Bytes; a camera that is opened may need more.
  private static let leastFrame = 1 << 16

  var ssrc: UInt32 { packetizer.ssrc }

  /// The frame's RTP timestamp.
  var timestamp: UInt32 { packetizer.timestamp }

  /// The largest RTP packet that is made, in bytes.
  var packetSize: Int { packetizer.packetSize }

  /// Makes room for frames of so many bytes. It allocates.
  mutating func prepare(largestFrame: Int) {
    self.largestFrame = min(max(largestFrame, Self.leastFrame), JPEGPayloadHeader.largestOffset)
    setPacketSize(packetizer.packetSize)
  }

  mutating func setPacketSize(_ size: Int) {
    packetizer.setPacketSize(size, largestFrame: largestFrame)
    if packetizer.capacity > batch.capacity { batch = PacketBatch(capacity: packetizer.capacity) }
  }

  /// Plans all packets of a frame.
  /// - Parameter timestamp: in 90 kHz.
  mutating func plan(_ picture: JPEGPicture, timestamp: UInt32) throws(DropCause) {
    // A frame that was encoded again can be larger than the camera's.
    if picture.scan.count > largestFrame { prepare(largestFrame: picture.scan.count + picture.scan.count / 4) }
    let plan: PacketPlan
    do throws(JPEGFault) { plan = try packetizer.plan(picture, timestamp: timestamp) } catch { throw DropCause(error) }
    batch.removeAll()
    append(plan)
  }

  /// Begins a frame that the camera is still filling.
  /// - Parameter timestamp: in 90 kHz.
  mutating func begin(_ header: JPEGHeader, timestamp: UInt32) {
    packetizer.begin(header, timestamp: timestamp)
    batch.removeAll()
  }

  /// More of the frame that was begun is there.
  /// - Parameters:
  ///   - scan: all that is there of it.
  ///   - isWhole: it ends there.
  mutating func extend(_ scan: UnsafeRawBufferPointer, isWhole: Bool) throws(DropCause) {
    do throws(JPEGFault) { append(try packetizer.extend(scan, isWhole: isWhole)) } catch { throw DropCause(error) }
  }

  /// No packet of the frame was sent: the next frame's have their sequence numbers.
  mutating func rewindSequence() { packetizer.takeBack() }

  /// Goes on under another SSRC.
  mutating func changeSource() { packetizer.changeSource() }

  /// Bytes of payload in packets of the frame, as RTCP counts them.
  @inline(__always)
  func octets(_ packets: Range<Int>, byteCount: Int) -> Int {
    byteCount - packets.count * RTPHeader.size - (packets.lowerBound == 0 ? packetizer.extensionSize : 0)
  }

  @inline(__always)
  private mutating func append(_ plan: PacketPlan) {
    append(1, of: plan)
    // All but the first and the last follow each other in memory.
    append(plan.count - batch.count - 1, of: plan)
    append(plan.count - batch.count, of: plan)
  }

  /// The next packets, which are alike.
  @inline(__always)
  private mutating func append(_ count: Int, of plan: PacketPlan) {
    guard count > 0, batch.count < plan.count else { return }
    let packet = plan[batch.count]
    batch.append(count, header: packet.header, payload: packet.payload)
  }
}
