/// A picture with edges, gradients and grain, as a camera's has: its planes, and what formats make of them.
struct Scene {
  let width: Int
  let height: Int
  let luma: [UInt8]
  /// Of half the width and all of the height.
  let blue: [UInt8]
  let red: [UInt8]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    var seed: UInt32 = 1
    func noise() -> Int {
      seed = seed &* 1_664_525 &+ 1_013_904_223
      return Int(seed >> 28) - 8
    }
    func shape(_ x: Int, _ y: Int) -> Int {
      let disc = (x % 160 - 80) * (x % 160 - 80) + (y % 120 - 60) * (y % 120 - 60)
      return disc < 1600 ? 60 + (x * 7 + y * 3) % 90 : 100 + (x / 9 + y / 5) % 100
    }
    luma = (0..<height).flatMap { y in
      (0..<width).map { x in UInt8(min(max(shape(x, y) + noise() / 2, 0), 255)) }
    }
    blue = (0..<height).flatMap { y in
      (0..<width / 2).map { x in UInt8(min(max(128 + (shape(2 * x, y) - 120) / 2 + noise() / 4, 0), 255)) }
    }
    red = (0..<height).flatMap { y in
      (0..<width / 2).map { x in UInt8(min(max(128 - (shape(2 * x + 40, y) - 120) / 3 + noise() / 4, 0), 255)) }
    }
  }

  /// Every second line, or all.
  static func lines(_ plane: [UInt8], width: Int, every step: Int) -> [UInt8] {
    step == 1 ? plane : stride(from: 0, to: plane.count, by: step * width).flatMap { plane[$0..<$0 + width] }
  }
}
