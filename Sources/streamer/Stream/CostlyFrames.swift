import RTPCore

/// Which frames are not re-coded after one like them took too long: each try holds the loop up.
struct CostlyFrames {
  private var fault: JPEGFault?
  private var pixels = 0
  private var left = 0
  private var pause = Self.shortest

  private static let shortest = 4
  private static let longest = 64

  /// Re-coding a frame took too long: some frames like it are not tried, each time twice as many.
  /// - Parameter fault: why it can't be sent as it is.
  mutating func note(_ fault: JPEGFault, _ pixels: Int) {
    (self.fault, self.pixels, left) = (fault, pixels, pause)
    pause = min(2 * pause, Self.longest)
  }

  /// One was re-coded in time: what took too long before was the exception.
  mutating func noteSuccess(_ fault: JPEGFault, _ pixels: Int) {
    if isLike(fault, pixels) { pause = Self.shortest }
  }

  /// Whether a frame is not to be tried. To be asked once for each.
  mutating func refuses(_ fault: JPEGFault, _ pixels: Int) -> Bool {
    guard left > 0, isLike(fault, pixels) else { return false }
    left -= 1
    return true
  }

  /// Of the same kind as the one that took too long, and no smaller.
  private func isLike(_ fault: JPEGFault, _ pixels: Int) -> Bool { fault == self.fault && pixels >= self.pixels }
}
