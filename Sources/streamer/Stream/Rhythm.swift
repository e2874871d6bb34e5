/// The beat of a camera's frames: how many it left out itself, of which no number is missing.
///
/// An interval of one and a half times the usual one and more is a gap, unless the next frames come as much too early, or
/// it stays so: then the camera has another rhythm, such as in little light.
struct Rhythm {
  /// Beats without a frame.
  private(set) var missing: UInt64 = 0
  /// Nanoseconds between two frames.
  private var usual: Double?
  /// The last intervals, if they were long.
  private var long: (time: Double, count: Int) = (0, 0)

  /// What is long, as a part of the usual interval.
  static let gap = 1.5
  /// So many long ones in a row are another rhythm.
  private static let enough = 3

  /// Two frames that follow each other came so far apart.
  /// - Parameter interval: nanoseconds.
  mutating func count(_ interval: Int64) {
    let interval = Double(max(0, interval))
    guard let usual else {
      usual = interval
      return
    }
    guard interval >= Self.gap * usual else {
      if long.count > 0 {
        end(with: interval)
      } else {
        self.usual = usual + (interval - usual) / 8
      }
      return
    }
    long = (long.time + interval, long.count + 1)
    guard long.count == Self.enough else { return }
    self.usual = long.time / Double(long.count)
    long = (0, 0)
  }

  /// What comes next does not follow: frames between were lost.
  mutating func breakOff() {
    if long.count > 0 { end(with: nil) }
  }

  private mutating func end(with next: Double?) {
    let beats = usual.map { ((long.time + (next ?? 0)) / max(1, $0)).rounded() } ?? 0
    let frames = long.count + (next == nil ? 0 : 1)
    missing += UInt64(max(0, min(beats, 1e9) - Double(frames)))
    long = (0, 0)
  }
}
