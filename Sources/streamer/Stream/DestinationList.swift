import LinuxIO

/// A camera's receivers, and how much of the frame in flight they have. They cannot be copied, so Swift's Array cannot hold
/// them. Each has memory of its own: nothing is kept in store, and nothing moves.
struct DestinationList: ~Copyable {
  private var list: UnsafeMutablePointer<UnsafeMutablePointer<Destination>>
  private var capacity = 2
  private(set) var count = 0
  private var lastID: UInt32 = 0
  /// How many receivers the frame in flight is for, which are the first ones: those after them were added since it began.
  private var participants = 0
  /// How many of them are not sent the frame, since their sockets are still full of older ones.
  private var skipped = 0
  /// How many receivers the last frame was for, and how many of them were sent all of it.
  private var last = (receivers: 0, complete: 0)

  init() { list = .allocate(capacity: 2) }

  deinit {
    for index in 0..<count { Self.end(list[index]) }
    list.deallocate()
  }

  private static func end(_ destination: UnsafeMutablePointer<Destination>) {
    destination.deinitialize(count: 1)
    destination.deallocate()
  }

  /// To read it. By its address: a coroutine that is not inlined allocates its frame.
  subscript(_ index: Int) -> Destination {
    unsafeAddress { UnsafePointer(list[index]) }
  }

  /// Changes a receiver.
  @inline(__always)
  mutating func update<Result>(_ index: Int, _ change: (inout Destination) -> Result) -> Result {
    change(&list[index].pointee)
  }

  /// Changes all receivers.
  mutating func updateAll(_ change: (inout Destination) -> Void) {
    for index in 0..<count { change(&list[index].pointee) }
  }

  /// Opens the path to a receiver; it is the last of the list then, and begins with the next frame.
  mutating func add(_ address: SocketAddress, _ settings: SessionSettings) throws(SystemCallError) {
    var route = settings.route
    // No other interface leads there.
    if address.isLoopback { route.interface = nil }
    let sender = try DatagramSender(to: address, over: route, segments: settings.segments)
    let reports = try ReportLink.open(
      beside: sender, over: route, name: settings.canonicalName, isMuxed: settings.isMuxed)
    if count == capacity { grow() }
    lastID += 1
    let destination = UnsafeMutablePointer<Destination>.allocate(capacity: 1)
    destination.initialize(to: Destination(sender, reports, id: lastID))
    list[count] = destination
    count += 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<UnsafeMutablePointer<Destination>>.allocate(capacity: 2 * capacity)
    larger.update(from: list, count: count)
    list.deallocate()
    list = larger
    capacity *= 2
  }

  /// Closes the path to a receiver, whatever it still was to get; those after it move up.
  mutating func remove(_ index: Int) {
    Self.end(list[index])
    for next in index + 1..<max(count, index + 1) { list[next - 1] = list[next] }
    count -= 1
    if index < participants { participants -= 1 }
  }

  func index(of address: SocketAddress) -> Int? { (0..<count).first { self[$0].address == address } }

  /// - Parameter id: see `Destination.id`.
  func index(ofID id: UInt32) -> Int? { (0..<count).first { self[$0].id == id } }

  // MARK: What they wait for

  /// Waits for a receiver's socket to take more packets, or no longer.
  mutating func wait(_ wanted: Bool, for index: Int, _ events: borrowing LoopEvents) throws(SystemCallError) {
    try events.wait(wanted, for: &list[index].pointee)
  }

  /// Waits for nothing of a receiver any longer.
  mutating func forget(_ index: Int, _ events: borrowing LoopEvents) throws(SystemCallError) {
    try events.forget(&list[index].pointee)
  }

  // MARK: The frame in flight

  /// Every receiver begins with a frame.
  /// - Parameter byteCount: of its packets, as far as it is known.
  mutating func beginFrame(byteCount: Int) {
    skipped = 0
    participants = count
    for index in 0..<count where !list[index].pointee.beginFrame(byteCount: byteCount) { skipped += 1 }
  }

  /// Sends a receiver packets; see `Destination.push`.
  @inline(__always)
  mutating func push(
    _ index: Int, _ batch: borrowing PacketBatch, upTo limit: Int, isWhole: Bool, pace: Pace
  ) -> Destination.Progress {
    list[index].pointee.push(batch, upTo: limit, isWhole: isWhole, pace: pace)
  }

  /// Every receiver has the frame, or what there was of it for them.
  var isDone: Bool { (0..<count).allSatisfy { self[$0].isDone } }

  /// A receiver has only a part of the frame since pacing holds the rest: its socket would take it.
  var isHeldBack: Bool { (0..<count).contains { self[$0].isHeldBack } }

  /// No packet of the frame was sent.
  var areUntouched: Bool { (0..<count).allSatisfy { self[$0].sent == 0 } }

  /// Every receiver has all of the frame.
  func areComplete(_ batch: borrowing PacketBatch) -> Bool {
    for index in 0..<participants where !self[index].isComplete(batch) { return false }
    return isDone && participants > 0
  }

  /// The rest of the frame is lost to a receiver.
  mutating func skipRest(_ index: Int, _ batch: borrowing PacketBatch, _ statistics: inout StreamStatistics) {
    let packets = UInt64(list[index].pointee.abandon(batch))
    if list[index].pointee.errno == .noBufferSpace {
      statistics.latePackets += packets
    } else {
      statistics.unreachablePackets += packets
    }
  }

  /// The frame ends, whatever is left of it.
  mutating func endFrame(_ batch: borrowing PacketBatch, _ statistics: inout StreamStatistics) {
    statistics.latePackets += UInt64(skipped * batch.count)
    last = (participants, 0)
    for index in 0..<participants {
      statistics.latePackets += UInt64(list[index].pointee.abandon(batch))
      if list[index].pointee.endFrame(batch) { last.complete += 1 }
    }
    statistics.count(receivers: last.receivers, complete: last.complete)
  }

  /// A frame that is still arriving ends: no receiver gets more of it.
  mutating func abandonFrame(_ batch: borrowing PacketBatch) {
    for index in 0..<count { _ = list[index].pointee.abandon(batch) }
  }

  /// A receiver's error is the answer to packets of the previous frame, which did not arrive there.
  mutating func takeBackLast(_ index: Int, _ statistics: inout StreamStatistics) {
    guard list[index].pointee.takeBackLast() else { return }
    statistics.takeBack(receivers: last.receivers, complete: last.complete)
    last.complete -= 1
  }
}
