import LinuxIO

/// A frame that a camera lent: it can't be copied, and goes back to the camera when its owner lets it go.
public struct Frame: ~Copyable {
  /// The picture's bytes where the camera put them; valid as long as this value lives.
  public let bytes: UnsafeRawBufferPointer
  /// The further memories of a raw picture whose planes have one each; empty where there is none.
  public let second: UnsafeRawBufferPointer
  public let third: UnsafeRawBufferPointer
  /// The camera's number of it; a gap is frames that the driver dropped.
  public let sequence: UInt32
  /// When it was captured: CLOCK_MONOTONIC, nanoseconds.
  public let timestamp: Int64
  /// When it was taken out of the camera's queue: CLOCK_MONOTONIC, nanoseconds.
  public let takenAt: Int64
  /// The driver says that its bytes are damaged (V4L2_BUF_FLAG_ERROR).
  public let isDamaged: Bool

  /// How a camera takes a frame back: a plain function, so that lending one allocates and counts nothing.
  public typealias GiveBack = @convention(c) (_ lender: UnsafeMutableRawPointer, _ index: UInt32) -> Void
  private let giveBack: GiveBack
  private let lender: UnsafeMutableRawPointer
  private let index: UInt32

  /// - Parameters:
  ///   - lender: who lends it; must be there until it was given back.
  ///   - index: which of the lender's buffers it is.
  public init(
    bytes: UnsafeRawBufferPointer, sequence: UInt32, timestamp: Int64, takenAt: Int64 = Clock.monotonic,
    isDamaged: Bool = false, second: UnsafeRawBufferPointer = .init(start: nil, count: 0),
    third: UnsafeRawBufferPointer = .init(start: nil, count: 0), lender: UnsafeMutableRawPointer, index: UInt32,
    giveBack: @escaping GiveBack
  ) {
    self.bytes = bytes
    self.second = second
    self.third = third
    self.sequence = sequence
    self.timestamp = timestamp
    self.takenAt = takenAt
    self.isDamaged = isDamaged
    self.lender = lender
    self.index = index
    self.giveBack = giveBack
  }

  deinit { giveBack(lender, index) }
}
