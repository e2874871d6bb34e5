/// Receives one stream of RTP/JPEG packets (RFC 2435), and puts its frames together to JPEG files. What the network sends
/// is checked and counted; nothing in it traps, or makes it keep more than two frames.
///
/// Each packet is counted: in `statistics`, as `malformed`, or as `foreign`; the stream's own that are malformed in both of the
/// first, since they are not lost.
public struct Depacketizer: ~Copyable {
  /// What became of a packet.
  public enum Event {
    case none
    /// It was a frame's last: a whole JPEG, with standard entropy tables; valid until the next call.
    case frame(UnsafeRawBufferPointer, width: Int, height: Int, timestamp: UInt32)
  }

  /// Packets of another source, and forged ones: those that do not continue the stream.
  public private(set) var foreign: UInt64 = 0
  /// The source of the first of them.
  public private(set) var firstForeign: StreamSource?
  public private(set) var statistics = ReceptionStatistics()

  private var queue: FrameQueue
  private var unreadable: UInt64 = 0
  /// Why the first packet that is no part of a picture is none: of the stream that is followed, and of anyone before that.
  public private(set) var payloadFaults: (ofStream: PayloadFault?, ofOthers: PayloadFault?) = (nil, nil)
  /// Packets of the stream that are no part of a picture.
  public private(set) var unreadableOfStream: UInt64 = 0
  private var stream: FollowedStream?
  /// The stream whose place the one that is followed took, and its tables.
  private var former: (stream: FollowedStream, tables: [UInt8: QuantizationTables])?
  private var probation = Probation()

  /// A scan as long as its offset can say, with one packet more.
  public static let largestScan = JPEGPayloadHeader.largestOffset + 65_536

  /// - Parameters:
  ///   - dimensions: pictures' size in pixels where it is over 2040, from the SDP's x-dimensions.
  ///   - largestScan: the most bytes of a frame's scan that are kept.
  public init(dimensions: (width: UInt16, height: UInt16)? = nil, largestScan: Int = Self.largestScan) {
    queue = FrameQueue(dimensions: dimensions, largestScan: largestScan)
  }

  /// Frames of which every packet came.
  public var frames: UInt64 { queue.frames }
  /// Those of them that are fields of interlaced video (RFC 2435, 4.1).
  public var fields: UInt64 { queue.fields }
  /// Whole frames whose size the packets do not say (over 2040 pixels), and nothing else did.
  public var unsized: UInt64 { queue.unsized }
  /// Frames of which packets are missing, or whose tables or size are not known.
  public var incomplete: UInt64 { queue.incomplete }
  /// Packets that are no RTP, not of this payload's form, or contradict their frame's others.
  public var malformed: UInt64 { unreadable + queue.malformed }
  /// Those of them that are the stream's own, which `statistics` counts, too.
  public var malformedOfStream: UInt64 { unreadableOfStream + queue.malformed }

  /// How the sender breaks the rules for frames' timestamps and markers.
  public var faults: FrameFaults { queue.faults }

  /// The source of the stream; nil: no packet came yet.
  public var source: StreamSource? { stream?.source }

  /// Whether there is a source that did not say goodbye.
  public var isFollowing: Bool { stream.map { !$0.hasEnded } ?? false }

  /// The source said goodbye: the next one is followed at once. The stream goes on if it did not say so itself.
  public mutating func endSource() { stream?.hasEnded = true }

  /// How often another stream was followed from then on: of another source, or of its own, restarted; or the former again.
  public private(set) var restarts: UInt64 = 0

  /// Since when the stream is followed, by CLOCK_MONOTONIC in nanoseconds; nil: no packet came yet.
  public private(set) var begun: Int64?

  /// Counts what is still pending when no more packets are received: the frames in flight as incomplete, and packets that
  /// belong to no stream as foreign.
  /// - Parameter now: when that is, by CLOCK_MONOTONIC in nanoseconds. A frame that is arriving then, and of which no packet
  ///   is missing so far, is not counted: nothing of it was lost. nil: the stream ended before.
  public mutating func finish(at now: Int64? = nil) {
    queue.finish(isArriving: now.map { stream?.isArriving($0) ?? false } ?? false)
    rejectProbation()
  }

  /// Takes one datagram.
  /// - Parameters:
  ///   - address: where it came from.
  ///   - arrival: CLOCK_MONOTONIC in nanoseconds.
  public mutating func receive(
    _ datagram: UnsafeRawBufferPointer, from address: TransportAddress = TransportAddress(), arrival: Int64
  ) -> Event {
    guard let packet = RTPHeader.read(datagram) else {
      reject(.noRTP)
      return .none
    }
    let (header, source) = (packet.header, StreamSource(address: address, ssrc: packet.header.ssrc))
    var belongs = stream?.isContinued(by: header, of: source, arrival: arrival) ?? true
    let isFormer = !belongs && formerGoesOn(with: header, of: source, arrival)
    if !belongs, !isFormer, let stream, stream.source != source, !stream.givesWay(to: source, arrival) {
      reject(source)
      return .none
    }
    let received = Probation.Packet(source: source, header: header, size: datagram.count, arrival: arrival)
    let fragment: Fragment
    do throws(PayloadFault) { fragment = try Fragment(packet) } catch {
      reject(error, of: belongs && stream != nil ? received : nil)
      return .none
    }
    if isFormer {
      resumeFormer(arrival)
      belongs = true
    }
    guard belongs || begin(with: received, datagram) else { return .none }
    return take(received, fragment)
  }

  /// A packet that does not continue the stream begins another: at once after a goodbye, else with the packet before it.
  /// - Returns: false where it has to wait for the next.
  private mutating func begin(with packet: Probation.Packet, _ datagram: UnsafeRawBufferPointer) -> Bool {
    if let stream, stream.isOver(packet.arrival) {
      restart(with: packet)
      return true
    }
    guard let (first, bytes) = probation.takePredecessor(of: packet.header, packet.source) else {
      if let oldest = probation.add(packet, datagram) { reject(oldest.source) }
      return false
    }
    restart(with: first)
    rejectProbation()
    _ = statistics.record(first.header, size: first.size, arrival: first.arrival)
    if first.header.marker {
      // One call gives one frame: that of the packet which came now.
      queue.giveUpFrame()
    } else if let bytes, let read = RTPHeader.read(bytes), let fragment = try? Fragment(read) {
      _ = queue.place(fragment, first.header, sequence: statistics.extended(first.header.sequence))
    }
    return true
  }

  /// - Parameter wasLate: see `ReceptionStatistics.restart`.
  private mutating func restart(with packet: Probation.Packet, wasLate: Bool = false) {
    restarts &+= 1
    statistics.restart(wasLate: wasLate)
    queue.restart()
    let isSame = stream?.source == packet.source
    if let stream, stream.hasFrame { former = isSame ? nil : (stream, queue.receivedTables) }
    if !isSame { queue.receivedTables = [:] }
    follow(packet)
  }

  private mutating func follow(_ packet: Probation.Packet) {
    stream = FollowedStream(packet.source, packet.header, arrival: packet.arrival)
    begun = packet.arrival
  }

  /// Whether a packet gives the former stream its place back. It goes on, and the newer stream had no whole frame yet, or
  /// was followed only because it could have been the same sender after a restart.
  private func formerGoesOn(with header: RTPHeader, of source: StreamSource, _ arrival: Int64) -> Bool {
    guard let stream, let former = former?.stream, former.goesOn(with: header, of: source, arrival: arrival) else {
      return false
    }
    return !stream.hasFrame || former.isAlive(arrival)
  }

  private mutating func resumeFormer(_ arrival: Int64) {
    guard let (stream, tables) = former else { return }
    former = nil
    restarts &+= 1
    statistics.restart()
    queue.restart()
    queue.receivedTables = tables
    self.stream = stream
    self.stream?.isContested = stream.isContested || stream.isAlive(arrival)
    begun = arrival
  }

  /// Takes a packet of the stream.
  private mutating func take(_ packet: Probation.Packet, _ fragment: Fragment) -> Event {
    if stream == nil {
      follow(packet)
    } else if stream?.advance(to: packet.header, arrival: packet.arrival) == true {
      restart(with: packet, wasLate: true)
    }
    guard statistics.record(packet.header, size: packet.size, arrival: packet.arrival) == .new else { return .none }
    let malformed = queue.malformed
    let event = queue.place(fragment, packet.header, sequence: statistics.extended(packet.header.sequence))
    if case .frame = event { stream?.completeFrame(arrival: packet.arrival) }
    if queue.malformed != malformed { stream?.noteMalformed() }
    return event
  }

  /// Counts a packet that is no part of a picture. It never begins a stream, nor keeps one in its place.
  /// - Parameter packet: nil where it is not of the stream.
  private mutating func reject(_ fault: PayloadFault, of packet: Probation.Packet? = nil) {
    unreadable += 1
    guard let packet else {
      payloadFaults.ofOthers = payloadFaults.ofOthers ?? fault
      return
    }
    unreadableOfStream += 1
    payloadFaults.ofStream = payloadFaults.ofStream ?? fault
    // The network did not lose it.
    _ = statistics.record(packet.header, size: packet.size, arrival: packet.arrival)
  }

  private mutating func reject(_ source: StreamSource) {
    foreign += 1
    if firstForeign == nil { firstForeign = source }
  }

  private mutating func rejectProbation() {
    while let packet = probation.removeFirst() { reject(packet.source) }
  }
}
