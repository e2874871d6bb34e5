/// Finds time codes in pictures and reads them: wherever they are, mirrored, upside down, turned by a right angle or by
/// some degrees, blurred, in uneven light.
///
/// Lines through the picture are cut into bars and spaces where they cross the middle between the darkest and the
/// lightest place around, so that neither light nor blur must be known. A code has 78 such edges; its bits must be
/// evenly wide, its wide bars as wide as they should be, no bit half black, its CRC and its number of zeros right, and
/// a second line must say the same. Of edges at random one row in 10^15 has the widths, and of the bits of such a row
/// one in 8192 is a code.
struct TimeCodeReader {
  /// Along the line that is looked at: four times the luma.
  private var levels: [Int32] = []
  /// The same as light. Blur and exposure add light, of which cameras make levels by its 2.2th root, and programs as it
  /// is: between them reads both.
  private var light: [Float] = []
  /// Where the levels turn: the lightest place before a dark one, the darkest before a light one, and so on.
  private var turns: [Int] = []
  /// Where they cross the middle from one turn to the next; those with even numbers get dark.
  private var edges: [Float] = []

  /// So many lines each way; a code must be as high as two of their distances.
  private static let lines = 48
  /// What is no noise: so much must the luma fall or rise for an edge. The first that gives a code is right.
  private static let swings: [Int32] = [64, 32, 16, 8]
  /// So many turns on each side have a part in an edge's middle: three bits.
  private static let around = 6
  private static let edgeCount = 2 * TimeCode.bitCount + 4
  /// The middle of a bit is black up to here, and white from there, as a part of its contrast. Between them it is of two
  /// codes.
  private static let grey: ClosedRange<Float> = 0.36...0.64

  /// - Parameters:
  ///   - luma: the picture's lines, `stride` bytes from one to the next.
  ///   - width: pixels; as the height.
  /// - Returns: the first code that two lines agree on, from the bottom; nil where there is none.
  mutating func read(_ luma: UnsafeRawBufferPointer, width: Int, height: Int, stride: Int) -> TimeCode? {
    guard width > 0, height > 0, stride >= width, luma.count >= width, (luma.count - width) / stride >= height - 1
    else { return nil }
    return read(luma, lines: height, apart: stride, points: width, step: 1)
      ?? read(luma, lines: width, apart: 1, points: height, step: stride)
  }

  private mutating func read(
    _ luma: UnsafeRawBufferPointer, lines: Int, apart: Int, points: Int, step: Int
  ) -> TimeCode? {
    guard points >= TimeCode.width else { return nil }
    let count = min(lines, Self.lines)
    var last: TimeCode?
    for index in (0..<count).reversed() {
      let line = (2 * index + 1) * lines / (2 * count)
      let (before, behind) = (line > 0 ? -apart : 0, line + 1 < lines ? apart : 0)
      levels.removeAll(keepingCapacity: true)
      light.removeAll(keepingCapacity: true)
      for point in 0..<points {
        let place = line * apart + point * step
        let level = Int32(luma[place + before]) + 2 * Int32(luma[place]) + Int32(luma[place + behind])
        levels.append(level)
        light.append(Float(level) * Float(level).squareRoot())
      }
      guard let code = readLine() else { continue }
      if code == last { return code }
      last = code
    }
    return nil
  }

  private mutating func readLine() -> TimeCode? {
    for swing in Self.swings {
      findEdges(4 * swing)
      // From a light margin to a light margin.
      for first in stride(from: 0, through: edges.count - Self.edgeCount, by: 2) {
        if let code = code(from: first, step: 1) ?? code(from: first + Self.edgeCount - 1, step: -1) { return code }
      }
    }
    return nil
  }

  private mutating func findEdges(_ swing: Int32) {
    turns.removeAll(keepingCapacity: true)
    edges.removeAll(keepingCapacity: true)
    var (turn, sign) = (0, Int32(1))
    for point in levels.indices {
      let further = sign * (levels[point] - levels[turn])
      if further > 0 { turn = point }
      guard further <= -swing else { continue }
      turns.append(turn)
      (turn, sign) = (point, -sign)
    }
    turns.append(turn)
    for (index, start) in turns.dropLast().enumerated() {
      let sign: Float = index % 2 == 0 ? 1 : -1
      let middle = middle(behind: index)
      var point = start + 1
      while sign * (light[point] - middle) > 0 { point += 1 }
      edges.append(Float(point) - (middle - light[point]) / (light[point - 1] - light[point]))
    }
  }

  /// The middle between the darkest and the lightest turn around, but well between the next two.
  private func middle(behind index: Int) -> Float {
    let (one, other) = (light[turns[index]], light[turns[index + 1]])
    var (dark, bright) = (min(one, other), max(one, other))
    let inner = (dark + (bright - dark) * 0.2)...(bright - (bright - dark) * 0.2)
    for turn in turns[max(0, index - Self.around)...min(turns.count - 1, index + 1 + Self.around)] {
      dark = min(dark, light[turn])
      bright = max(bright, light[turn])
    }
    return min(max((dark + bright) / 2, inner.lowerBound), inner.upperBound)
  }

  /// The code that begins with an edge.
  /// - Parameter step: 1: it is read to the right; -1: to the left.
  private func code(from first: Int, step: Int) -> TimeCode? {
    func place(_ edge: Int) -> Float { Float(step) * edges[first + step * edge] }
    /// About the third of a bit that has its middle there.
    func third(_ middle: Float, _ module: Float) -> Float {
      (light(at: Float(step) * (middle - module / 4)) + light(at: Float(step) * middle)
        + light(at: Float(step) * (middle + module / 4))) / 3
    }

    // From a bar's beginning to the next one's, whatever light or blur makes of their widths.
    var pitch = place(4) - place(2)
    let start = (
      bar: place(1) - place(0), module: (place(2) - place(0)) / Float(TimeCode.startBar + TimeCode.startSpace)
    )
    let end = Self.edgeCount - 2
    let last = (bar: place(end + 1) - place(end), module: (place(end) - place(end - 2)) / Float(TimeCode.bitWidth))
    guard (0.75...1.33).contains(start.module * Float(TimeCode.bitWidth) / pitch),
      (4...6).contains(start.bar / start.module), (2...4).contains(last.bar / last.module)
    else { return nil }
    // So much later than drawn do bars begin, and so much earlier do they end, in modules.
    let growth =
      (Float(TimeCode.startBar) - start.bar / start.module + Float(TimeCode.endBar) - last.bar / last.module) / 4

    var bits: UInt64 = 0
    for edge in stride(from: 2, to: end, by: 2) {
      let width = place(edge + 2) - place(edge)
      guard abs(width - pitch) <= pitch / 3 else { return nil }
      pitch = width
      let module = width / Float(TimeCode.bitWidth)
      let middle = place(edge) + width / 2 - growth * module
      let (dark, bright) = (third(middle - module, module), third(middle + module, module))
      let share = (third(middle, module) - dark) / (bright - dark)
      guard bright > dark, !Self.grey.contains(share) else { return nil }
      bits = bits << 1 | (share < Self.grey.lowerBound ? 1 : 0)
    }
    return TimeCode(bits: bits)
  }

  private func light(at place: Float) -> Float {
    let left = min(max(Int(place), 0), light.count - 2)
    let share = min(max(place - Float(left), 0), 1)
    return light[left] * (1 - share) + light[left + 1] * share
  }
}
