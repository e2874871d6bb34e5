/// What there is of the frame that a driver is filling a buffer with.
public struct Arrived {
  /// Its beginning, where it lies; valid until the buffer's frame was given back.
  public let bytes: UnsafeRawBufferPointer
  /// Something has come, be it so little that `bytes` is empty still.
  public let hasBegun: Bool

  public init(bytes: UnsafeRawBufferPointer, hasBegun: Bool) {
    self.bytes = bytes
    self.hasBegun = hasBegun
  }
}

/// The buffers that a driver has, in the order in which it fills them, and how much of the first has arrived.
///
/// uvcvideo before Linux 6.14 keeps a buffer with a damaged frame to itself and puts it at the end of its own queue. That
/// shows by the buffer, or the number, of the next frame that it gives: what is in the buffers that it passed over is
/// unknown then, until they were taken out and wiped.
struct BufferQueue: ~Copyable {
  private let sentinel = Sentinel()
  private let capacity: Int
  /// The buffers' numbers, the one that is filled next in front.
  private let order: UnsafeMutablePointer<Int>
  private var count = 0
  /// By the buffers' numbers; nil: what is in it is unknown.
  private let arrivals: UnsafeMutablePointer<Arrival?>
  /// How many bytes of a buffer to wipe.
  private let extents: UnsafeMutablePointer<Int>
  private var lastSequence: UInt32?

  init(capacity: Int) {
    self.capacity = capacity
    order = .allocate(capacity: capacity)
    arrivals = .allocate(capacity: capacity)
    extents = .allocate(capacity: capacity)
    arrivals.initialize(repeating: nil, count: capacity)
    extents.initialize(repeating: 0, count: capacity)
  }

  deinit {
    order.deallocate()
    arrivals.deallocate()
    extents.deallocate()
  }

  /// The driver gets a buffer, as the last one.
  mutating func append(_ index: Int, _ bytes: UnsafeMutableRawBufferPointer) {
    guard count < capacity else { return }
    let extent = min(bytes.count, extents[index])
    arrivals[index] =
      extent > 0 ? Arrival(wiping: UnsafeMutableRawBufferPointer(rebasing: bytes[..<extent]), with: sentinel) : nil
    order[count] = index
    count += 1
  }

  /// The driver gave a buffer back.
  /// - Parameters:
  ///   - sequence: its frame's number.
  ///   - byteCount: of its frame.
  mutating func remove(_ index: Int, sequence: UInt32, byteCount: Int) {
    let place = (0..<count).first { order[$0] == index }
    guard let place else { return }
    let step = lastSequence.map { Int32(bitPattern: sequence &- $0) } ?? 1
    // Frames are missing: those passed over are behind the others now, and each buffer may have been used meanwhile and be
    // where it was again. Without a gap, one before this one is only later: its frame is being copied still.
    if step > 1 {
      for _ in 0..<place { rotate() }
      for each in 0..<count { arrivals[order[each]] = nil }
    }
    takeOut(step > 1 ? 0 : place)
    if step > 0 || step < -1000 { lastSequence = sequence }
    // Room for the next one, which may be larger.
    extents[index] = max(byteCount + byteCount / 4, extents[index] / 8 * 7)
  }

  private mutating func takeOut(_ place: Int) {
    for next in (place + 1)..<max(place + 1, count) { order[next - 1] = order[next] }
    count -= 1
  }

  /// The first buffer becomes the last.
  private func rotate() {
    let first = order[0]
    for place in 1..<max(1, count) { order[place - 1] = order[place] }
    order[count - 1] = first
  }

  func look() -> Arrived? {
    guard count > 0, let bytes = arrivals[order[0]]?.visit() else { return nil }
    return Arrived(bytes: bytes, hasBegun: !bytes.isEmpty || arrivals[order[0]].map { $0.seen > 0 } ?? false)
  }
}
