/// Whether a camera's loop is behind: a frame is older by more than an interval than frames usually are when they are
/// taken. What is usual is a camera's own: USB brings a frame some milliseconds after its timestamp.
struct Lateness {
  private let interval: Int64
  private var usual: Int64?

  /// - Parameter interval: between two frames, in nanoseconds.
  init(interval: Int64) { self.interval = interval }

  /// - Parameter age: of the frame that was taken, in nanoseconds.
  mutating func isLate(_ age: Int64) -> Bool {
    guard let usual else {
      usual = age
      return false
    }
    // Down at once, up slowly: a camera can become slower, and a loop that is behind shall not make it so.
    self.usual = min(age, usual + max(1, (age - usual) / 256))
    return age > usual + interval
  }
}
