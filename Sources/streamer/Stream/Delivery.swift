import LinuxIO
import RTPCore
import V4L2Capture

/// Brings a camera's frames to its receivers: makes the packets of one frame, has every receiver get the same ones, and
/// knows how much of it each has.
struct Delivery: ~Copyable {
  private var packetizer: Packetizer
  private var batch: PacketBatch
  var destinations = DestinationList()
  private let packetSize: PacketSize
  private var largestFrame: Int
  private var pace: Pace
  private(set) var clock = MediaClock()
  /// How many receivers the frame in flight is for, which are the first ones: those after them were added since it began.
  private var participants = 0
  /// How many receivers the last frame was for, and how many of them were sent all of it.
  private var last = (receivers: 0, complete: 0)
  /// A frame was begun, and not ended.
  private(set) var isUnderWay = false
  /// Its last packets are not there yet: the camera is still filling it.
  private var isGrowing = false
  /// Packets were larger than a way took, and are still made so large.
  private(set) var isTooLarge = false
  /// Receivers that are not sent the frame, since their sockets are still full of older ones.
  private var leftOut = 0

  init(_ settings: StreamSettings, largestFrame: Int, interval: Int64?) {
    packetSize = settings.options.packetSize
    packetizer = Packetizer(
      packetSize: settings.options.packetSize.largest, largestFrame: largestFrame,
      payloadType: settings.options.payloadType, ssrc: settings.ssrc, onvifExtension: settings.options.onvifExtension)
    batch = PacketBatch(capacity: packetizer.capacity)
    pace = Pace(settings.options.pace, interval: interval)
    self.largestFrame = largestFrame
  }

  var ssrc: UInt32 { packetizer.ssrc }

  /// The last frame's RTP timestamp.
  var timestamp: UInt32 { packetizer.timestamp }

  /// Pixels of the last frame that was begun, by its own header; nil: there was none.
  private(set) var pictureSize: FrameSize?

  /// The largest RTP packet that is made, in bytes.
  var largestPacket: Int { packetizer.packetSize }

  /// Adds a receiver, as the last one; it begins with the next frame.
  mutating func add(_ address: SocketAddress, _ options: StreamOptions) throws(SystemCallError) {
    try destinations.add(address, options)
    // The frame under way keeps its packets' size.
    isTooLarge = isTooLarge || isUnderWay
  }

  /// Removes a receiver, whatever it still was to get.
  mutating func remove(_ index: Int) {
    destinations.remove(index)
    if index < participants { participants -= 1 }
  }

  /// Makes a frame's packets; every receiver begins with it.
  /// - Parameter timestamp: of its capture, in nanoseconds.
  mutating func begin(_ picture: JPEGPicture, timestamp: Int64) throws(DropCause) {
    if picture.scan.count > largestFrame { grow(to: picture.scan.count) }
    try plan(picture, timestamp: clock.frameTimestamp(at: timestamp))
    pictureSize = FrameSize(UInt32(picture.header.width), UInt32(picture.header.height))
    isUnderWay = true
    beginPace(batch.byteCount, timestamp)
  }

  /// Makes room for the packets of a frame that is larger than the camera's can be, since it was encoded again.
  private mutating func grow(to scanSize: Int) {
    largestFrame = min(scanSize + scanSize / 4, JPEGPayloadHeader.largestOffset)
    setPacketSize(packetizer.packetSize)
  }

  private mutating func setPacketSize(_ size: Int) {
    packetizer.setPacketSize(size, largestFrame: largestFrame)
    if packetizer.capacity > batch.capacity { batch = PacketBatch(capacity: packetizer.capacity) }
  }

  /// Begins a frame that the camera is still filling; `extend` goes on with it.
  /// - Parameters:
  ///   - timestamp: of its capture, in nanoseconds.
  ///   - expected: how many bytes its packets will have, as far as can be told.
  mutating func begin(_ header: JPEGHeader, timestamp: Int64, expecting expected: Int) {
    packetizer.begin(header, timestamp: clock.frameTimestamp(at: timestamp))
    beginBatch(byteCount: expected)
    pictureSize = FrameSize(UInt32(header.width), UInt32(header.height))
    isUnderWay = true
    isGrowing = true
    beginPace(expected, timestamp)
  }

  /// More of the frame that was begun is there.
  /// - Parameters:
  ///   - scan: all that is there of it.
  ///   - isWhole: it ends there.
  mutating func extend(_ scan: UnsafeRawBufferPointer, isWhole: Bool) throws(DropCause) {
    do throws(JPEGFault) { append(try packetizer.extend(scan, isWhole: isWhole)) } catch { throw DropCause(error) }
    isGrowing = !isWhole
  }

  private mutating func beginPace(_ byteCount: Int, _ timestamp: Int64) {
    pace.begin(byteCount, capturedAt: timestamp, now: Clock.monotonic)
  }

  /// Frames may have to be spread over time.
  var isPaced: Bool { pace.isOn }

  private mutating func plan(_ picture: JPEGPicture, timestamp: UInt32) throws(DropCause) {
    let plan: PacketPlan
    do throws(JPEGFault) { plan = try packetizer.plan(picture, timestamp: timestamp) } catch { throw DropCause(error) }
    beginBatch(byteCount: plan.byteCount)
    append(plan)
  }

  private mutating func beginBatch(byteCount: Int) {
    batch.removeAll()
    leftOut = 0
    participants = destinations.count
    for index in 0..<destinations.count where !destinations[index].beginFrame(byteCount: byteCount) { leftOut += 1 }
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

  /// Sends a receiver as much as its socket takes and the pace allows.
  mutating func push(_ index: Int, _ statistics: inout StreamStatistics) -> Destination.Progress {
    guard !destinations[index].isDone else { return .done }
    let before = destinations[index].sent
    let wasFailing = destinations[index].isFailing
    let limit = destinations[index].isPacedByKernel ? batch.count : pace.allowed(batch, sent: before)
    let progress = destinations[index].push(batch, upTo: limit, isWhole: !isGrowing, pace: pace)
    let sent = destinations[index].sent
    if sent > before { count(before..<sent, of: index, &statistics) }
    if destinations[index].isFailing, !wasFailing, destinations[index].lostEarlier { takeBackLast(index, &statistics) }
    if progress == .unreachable { leaveOut(index, &statistics) }
    return progress
  }

  /// A receiver's error is the answer to packets of the previous frame, which did not arrive there.
  private mutating func takeBackLast(_ index: Int, _ statistics: inout StreamStatistics) {
    guard destinations[index].takeBackLast() else { return }
    statistics.takeBack(receivers: last.receivers, complete: last.complete)
    last.complete -= 1
  }

  /// The socket of a receiver's reports, which may be that of its stream, has an error.
  mutating func fail(_ index: Int, _ errno: Errno, _ statistics: inout StreamStatistics) {
    let wasFailing = destinations[index].isFailing
    destinations[index].fail(errno)
    if destinations[index].isFailing, !wasFailing, !isUnderWay { takeBackLast(index, &statistics) }
  }

  /// Looks for answers to the last packets.
  private mutating func settle(_ statistics: inout StreamStatistics) {
    for index in 0..<destinations.count {
      let wasFailing = destinations[index].isFailing
      destinations[index].settle()
      if destinations[index].isFailing, !wasFailing, !isUnderWay { takeBackLast(index, &statistics) }
    }
  }

  /// A receiver can't be reached, or the network device's queue is full: the rest of the frame is lost to it.
  private mutating func leaveOut(_ index: Int, _ statistics: inout StreamStatistics) {
    let packets = UInt64(destinations[index].abandon(batch))
    if destinations[index].errno == .noBufferSpace {
      statistics.latePackets += packets
    } else {
      statistics.unreachablePackets += packets
    }
  }

  @inline(__always)
  private mutating func count(_ packets: Range<Int>, of index: Int, _ statistics: inout StreamStatistics) {
    let bytes = batch.byteCount(packets)
    statistics.packets += UInt64(packets.count)
    statistics.bytes += UInt64(bytes)
    let headers = packets.count * RTPHeader.size + (packets.lowerBound == 0 ? packetizer.extensionSize : 0)
    destinations[index].reports.count(packets: packets.count, octets: bytes - headers)
  }

  /// Whether every receiver has the frame, or what there was of it for them.
  var isDone: Bool { !isGrowing && (0..<destinations.count).allSatisfy { destinations[$0].isDone } }

  /// Whether a receiver has only a part of the frame since the rest is not to leave yet: its socket would take it.
  var isHeldBack: Bool { (0..<destinations.count).contains { destinations[$0].isHeldBack } }

  /// Whether every receiver has all of the frame.
  var isComplete: Bool {
    isDone && participants > 0 && (0..<participants).allSatisfy { destinations[$0].isComplete(batch) }
  }

  /// Sends the rest of the frame at once, as far as sockets take it: there is no next one to make room for.
  mutating func flush(_ statistics: inout StreamStatistics) {
    pace.end()
    for index in 0..<destinations.count { _ = push(index, &statistics) }
  }

  /// Ends the frame. One that is still growing ends without a marker: receivers take it as incomplete.
  /// - Parameter isLast: the stream ends with it.
  mutating func end(_ statistics: inout StreamStatistics, isLast: Bool = false) {
    if isLast { settle(&statistics) }
    guard isUnderWay else { return }
    guard !isGrowing else { return abandon(&statistics, isLast: isLast) }
    statistics.latePackets += UInt64(leftOut * batch.count)
    last = (participants, 0)
    for index in 0..<participants {
      statistics.latePackets += UInt64(destinations[index].abandon(batch))
      if destinations[index].endFrame(batch) { last.complete += 1 }
    }
    statistics.count(receivers: last.receivers, complete: last.complete)
    isUnderWay = false
  }

  private mutating func abandon(_ statistics: inout StreamStatistics, isLast: Bool) {
    var isSent = false
    for index in 0..<destinations.count {
      isSent = isSent || destinations[index].sent > 0
      _ = destinations[index].abandon(batch)
    }
    if !isSent { packetizer.takeBack() }
    // At the stream's end nothing is wrong with it.
    if isSent && !isLast { statistics.abandoned += 1 }
    isUnderWay = false
    isGrowing = false
  }

  /// Makes packets as large as the ways to all receivers take, where the user did not fix their size.
  /// - Returns: whether it changed.
  mutating func adaptPacketSize() -> Bool {
    isTooLarge = false
    let size = packetSize.choose(destinations)
    guard size != packetizer.packetSize else { return false }
    setPacketSize(size)
    return true
  }

  /// The packets in flight are larger than a way takes: they are made anew, smaller, unless some were sent.
  /// - Returns: whether they were; if not, the next frame's are.
  mutating func shrink(_ picture: JPEGPicture) -> Bool {
    let before = packetizer.packetSize
    isTooLarge = true
    guard !isGrowing, (0..<destinations.count).allSatisfy({ destinations[$0].sent == 0 }), adaptPacketSize(),
      packetizer.packetSize < before
    else { return false }
    packetizer.takeBack()
    return (try? plan(picture, timestamp: packetizer.timestamp)) != nil
  }

  /// The frame's packets are larger than the way to a receiver takes: the frame is lost to it.
  mutating func giveUp(_ index: Int, _ statistics: inout StreamStatistics) {
    isTooLarge = true
    destinations[index].fail(.messageTooLarge)
    leaveOut(index, &statistics)
  }

  /// Goes on under another SSRC.
  mutating func changeSource() { packetizer.changeSource() }
}
