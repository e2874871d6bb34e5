/// Frames that a driver dropped, by the gaps in its frames' numbers.
struct SequenceGaps {
  private var last: (sequence: UInt32, timestamp: Int64)?

  /// What a frame's number says of it.
  enum Verdict: Equatable {
    /// It is the next one; so many are missing before it.
    case next(missing: UInt64)
    /// A newer one was here before it: uvcvideo, whose copies run side by side, hands some over in the wrong order on a
    /// busy machine. It was counted as missing then.
    case overtaken
  }

  /// The frame that was judged last is the one behind the one before it.
  private(set) var isNext = false

  /// - Parameter timestamp: of the capture; a lower number at a later time is that of a camera that started over.
  mutating func judge(_ sequence: UInt32, at timestamp: Int64) -> Verdict {
    let step = last.map { Int32(bitPattern: sequence &- $0.sequence) } ?? 1
    isNext = step == 1 && last != nil
    if step < 0, let last, timestamp < last.timestamp { return .overtaken }
    last = (sequence, timestamp)
    return .next(missing: step > 1 ? UInt64(step - 1) : 0)
  }
}
