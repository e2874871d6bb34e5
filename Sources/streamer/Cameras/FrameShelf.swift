import V4L2Capture

/// Memory for the frames that are encoded here: one that is being sent, and the next.
struct FrameShelf: ~Copyable {
  private static let slots = 2
  private let frameBytes: Int
  /// The slots' memory behind which slots are lent.
  private let bytes: UnsafeMutableRawPointer
  private let lent: UnsafeMutablePointer<Bool>

  init(frameBytes: Int) {
    self.frameBytes = frameBytes
    bytes = .allocate(byteCount: Self.slots * frameBytes, alignment: 64)
    lent = .allocate(capacity: Self.slots)
    lent.initialize(repeating: false, count: Self.slots)
  }

  deinit {
    bytes.deallocate()
    lent.deallocate()
  }

  /// A slot that is not lent.
  var freeSlot: UInt32? { (0..<UInt32(Self.slots)).first { !lent[Int($0)] } }

  func memory(_ slot: UInt32) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: bytes + Int(slot) * frameBytes, count: frameBytes)
  }

  /// Lends a slot's first `size` bytes as what was made of a frame.
  func lend(_ slot: UInt32, size: Int, of frame: borrowing Frame, isDamaged: Bool) -> Frame {
    lent[Int(slot)] = true
    return Frame(
      bytes: UnsafeRawBufferPointer(rebasing: memory(slot)[..<min(size, frameBytes)]), sequence: frame.sequence,
      timestamp: frame.timestamp, takenAt: frame.takenAt, isDamaged: isDamaged, lender: UnsafeMutableRawPointer(lent),
      index: slot
    ) { lent, slot in lent.assumingMemoryBound(to: Bool.self)[Int(slot)] = false }
  }
}
