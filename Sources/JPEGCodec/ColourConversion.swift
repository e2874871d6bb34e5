/// Brings samples to JPEG's colours: full range, BT.601. In fixed point of 16 bits, within 1 of what is exact.
struct ColourConversion: Sendable {
  /// Y' = (gain * Y + offset + the share of colour) / 128, plus `raise`.
  private let gain: UInt16
  private let offset: UInt16
  /// In 512ths: how much of Cb and of Cr is in Y', and in Cb' and Cr' next to themselves.
  private let luma: (Int16, Int16)
  private let blue: (Int16, Int16)
  private let red: (Int16, Int16)
  /// Y' needs Cb and Cr.
  let mixes: Bool
  /// What keeps sums from being negative, in whole steps.
  private static let raise: UInt16 = 64

  /// nil where there is nothing to do.
  init?(from colour: Colour, isRGB: Bool = false) {
    let isSame = colour.matrix == .bt601 || isRGB
    guard colour.range == .limited || !isSame else { return nil }
    let isLimited = colour.range == .limited
    // Black is subtracted; half a step is added for rounding.
    (gain, offset) = isLimited ? (149, 128 * Self.raise - 16 * 149 + 64) : (128, 128 * Self.raise + 64)
    let scale = isLimited ? 255.0 / 224 : 1
    let from = isSame ? Weights(.bt601) : Weights(colour.matrix)
    let terms = from.terms(in: Weights(.bt601))
    func fixed(_ value: Double) -> Int16 { Int16((512 * value).rounded()) }
    luma = (fixed(terms.luma.0 * scale), fixed(terms.luma.1 * scale))
    blue = (fixed(terms.blue.0 * scale - 1), fixed(terms.blue.1 * scale))
    red = (fixed(terms.red.0 * scale), fixed(terms.red.1 * scale - 1))
    mixes = !isSame
  }

  /// How much of red and blue is in Y.
  private struct Weights {
    let red: Double
    let blue: Double

    init(_ matrix: Colour.Matrix) {
      (red, blue) =
        switch matrix {
        case .bt601: (0.299, 0.114)
        case .bt709: (0.2126, 0.0722)
        case .bt2020: (0.2627, 0.0593)
        case .smpte240m: (0.212, 0.087)
        }
    }

    /// What Cb and Cr of these weights add to Y, and are as Cb and Cr, of others.
    func terms(in other: Weights) -> (luma: (Double, Double), blue: (Double, Double), red: (Double, Double)) {
      func term(_ cb: Double, _ cr: Double) -> (Double, Double, Double) {
        let r = 2 * (1 - red) * cr
        let b = 2 * (1 - blue) * cb
        let g = -(red * r + blue * b) / (1 - red - blue)
        let y = other.red * r + other.blue * b + (1 - other.red - other.blue) * g
        return (y, (b - y) / (2 * (1 - other.blue)), (r - y) / (2 * (1 - other.red)))
      }
      let (ofBlue, ofRed) = (term(1, 0), term(0, 1))
      return ((ofBlue.0, ofRed.0), (ofBlue.1, ofRed.1), (ofBlue.2, ofRed.2))
    }
  }

  /// Y alone; or bytes of RGB of limited range.
  func convert(_ line: Lines.Line, count: Int, into room: Lines.Room) {
    let (gain, offset) = (gain, offset)
    for x in 0..<count { room[x] = Self.brought(UInt16(line[x]) &* gain &+ offset) }
  }

  /// Y with the share of colour that `share` made.
  func convert(_ line: Lines.Line, with shares: UnsafePointer<UInt16>, count: Int, into room: Lines.Room) {
    let gain = gain
    for x in 0..<count / 2 {
      let share = shares[x]
      room[2 &* x] = Self.brought(UInt16(line[2 &* x]) &* gain &+ share)
      room[2 &* x &+ 1] = Self.brought(UInt16(line[2 &* x &+ 1]) &* gain &+ share)
    }
    if count % 2 == 1 { room[count - 1] = Self.brought(UInt16(line[count - 1]) &* gain &+ shares[count / 2]) }
  }

  @inline(__always)
  private static func brought(_ sum: UInt16) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(sum &>> 7, raise) &- raise, 255))
  }

  /// Of each sample of colour its share in the Y of the pixels that have it, and its offset.
  func share(_ blue: Lines.Line, _ red: Lines.Line, count: Int, into shares: UnsafeMutablePointer<UInt16>) {
    let (luma, offset) = (luma, offset)
    for x in 0..<count {
      let sum = Self.difference(blue[x]) &* luma.0 &+ Self.difference(red[x]) &* luma.1
      shares[x] = UInt16(bitPattern: sum &>> 2) &+ offset
    }
  }

  /// Cb and Cr.
  func convert(
    _ blue: Lines.Line, _ red: Lines.Line, count: Int, into newBlue: Lines.Room, _ newRed: Lines.Room
  ) {
    let (toBlue, toRed) = (self.blue, self.red)
    for x in 0..<count {
      let (b, r) = (Self.difference(blue[x]), Self.difference(red[x]))
      newBlue[x] = Self.moved(b, by: b &* toBlue.0 &+ r &* toBlue.1)
      newRed[x] = Self.moved(r, by: b &* toRed.0 &+ r &* toRed.1)
    }
  }

  @inline(__always)
  private static func difference(_ sample: UInt8) -> Int16 { Int16(sample) &- 128 }

  @inline(__always)
  private static func moved(_ difference: Int16, by step: Int16) -> UInt8 {
    UInt8(truncatingIfNeeded: min(max(difference &+ 128 &+ (step &+ 256) &>> 9, 0), 255))
  }
}
