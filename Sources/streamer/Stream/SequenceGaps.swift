/// Frames that a driver dropped, by the gaps in its frames' numbers.
struct SequenceGaps {
  private var last: UInt32?

  /// How many are missing before this one. A number that goes back (a camera that started anew) is no gap.
  mutating func count(_ sequence: UInt32) -> UInt64 {
    defer { last = sequence }
    guard let last else { return 0 }
    let step = Int32(bitPattern: sequence &- last)
    return step > 1 ? UInt64(step - 1) : 0
  }
}
