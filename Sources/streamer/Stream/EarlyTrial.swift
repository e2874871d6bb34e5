import V4L2Capture

/// Finds out whether a driver shows a frame's data as it arrives (uvcvideo) or all at once: a camera's first frames are
/// compared with what was seen of them before they were complete.
struct EarlyTrial {
  /// Why packets cannot leave before their frame is complete.
  enum Refusal: Sendable {
    /// The driver shows a frame's data when all is there.
    case unseen
    /// The driver changes what it wrote.
    case changing
    /// The camera's frames cannot be sent as they are.
    case unfit
  }

  enum State: Equatable {
    case trying
    case passed
    case failed(Refusal?)
  }

  private(set) var state: State
  /// The user wants early packets: no number of frames without data ends the trial.
  private let isInsisting: Bool
  /// Of the frame that is being filled.
  private var probe = Probe()
  private var polls = 0
  private var frames = 0
  private var tries = 0
  private var hits = 0
  /// Frames in a row that could not be sent as they are.
  private var unfits = 0

  /// This many frames must have shown data before they were complete, of at most so many that were polled; a camera whose
  /// frames come too fast for that is left alone after some more.
  private static let requiredHits = 4
  private static let maximumTries = 24
  private static let maximumFrames = 300
  private static let maximumUnfits = 8

  init(_ setting: EarlySending.Setting) {
    state = setting == .off ? .failed(nil) : .trying
    isInsisting = setting == .on
  }

  /// The buffer was polled, and this was in it.
  mutating func polled(_ arrived: Arrived) {
    polls += 1
    if state == .trying, arrived.hasBegun { probe.add(arrived.bytes) }
  }

  /// A frame is complete.
  /// - Parameters:
  ///   - isPolled: it is the one that was polled, and no other.
  ///   - isStamped: its timestamp is that of its first data.
  mutating func completed(_ bytes: UnsafeRawBufferPointer, isPolled: Bool, isStamped: Bool) {
    defer {
      probe = Probe()
      polls = 0
    }
    guard state == .trying else { return }
    frames += 1
    // Another frame than the one that was polled, or one that was polled too little, tells nothing.
    if isPolled, polls >= 3 {
      guard probe.agrees(with: bytes) else { return state = .failed(.changing) }
      tries += 1
      // Less is of no use; and the timestamp has to be known when the first packet leaves.
      if isStamped, probe.count * 8 > bytes.count { hits += 1 }
    }
    if hits >= Self.requiredHits {
      state = .passed
    } else if !isInsisting, tries >= Self.maximumTries || frames >= Self.maximumFrames {
      state = .failed(.unseen)
    }
  }

  /// A frame was, or was not, one that cannot be sent as it is.
  mutating func note(isUnfit: Bool) {
    unfits = isUnfit ? unfits + 1 : 0
    if unfits >= Self.maximumUnfits { state = .failed(.unfit) }
  }
}

/// What was seen of a frame before it was complete, to be compared with what it is.
private struct Probe {
  private(set) var count = 0
  private var sum: UInt64 = 0

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    sum = Self.sum(bytes, count, sum)
    count = max(count, bytes.count & ~7)
  }

  func agrees(with bytes: UnsafeRawBufferPointer) -> Bool {
    count == 0 || bytes.count >= count && Self.sum(UnsafeRawBufferPointer(rebasing: bytes[..<count]), 0, 0) == sum
  }

  private static func sum(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ sum: UInt64) -> UInt64 {
    var sum = sum
    for offset in stride(from: start, to: bytes.count & ~7, by: 8) {
      sum = (sum ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
    }
    return sum
  }
}
