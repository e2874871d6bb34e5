/// The numbers of libcamera's frames: those of the driver as long as they can be such, else our own.
///
/// A gap in them is frames that the driver dropped. Pipelines without a driver may leave the number as their memory was
/// (libcamera 0.4's virtual one).
struct FrameNumbers {
  private var last: (told: UInt32, given: UInt32)?
  private var isTrusted = true

  /// By how much the next number can be higher, and lower: uvcvideo hands frames over in the wrong order at times.
  private static let steps: ClosedRange<Int32> = -8...1000

  /// - Parameter told: what the pipeline says.
  mutating func next(_ told: UInt32) -> UInt32 {
    guard let (before, given) = last else {
      last = (told, told)
      return told
    }
    let step = Int32(bitPattern: told &- before)
    isTrusted = isTrusted && step != 0 && Self.steps.contains(step)
    let number = isTrusted ? told : given &+ 1
    last = (told, number)
    return number
  }
}
