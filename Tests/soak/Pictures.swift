import CLinux
import Glibc
import JPEGCodec
import ScriptedDriver

@testable import streamer

/// The pictures of one camera, each of them different from all others, and from all cameras'.
struct Pictures {
  /// Whole JPEGs.
  let jpegs: [[UInt8]]
  /// Which one a scan is of.
  private let places: [[UInt8]: Int]

  static let count = 64

  init?(camera: Int) {
    var jpegs: [[UInt8]] = []
    var places: [[UInt8]: Int] = [:]
    for index in 0..<Self.count {
      let (width, height) = index % 3 == 0 ? (320, 240) : (160, 128)
      let picture = TestPicture(width: width, height: height)
      picture.draw(frame: UInt64(camera * Self.count + index))
      guard let jpeg = try? picture.planes.jpeg(quality: 80), let scan = Self.scan(of: jpeg) else { return nil }
      places[Array(jpeg[scan])] = index
      jpegs.append(jpeg)
    }
    guard places.count == Self.count else { return nil }
    self.jpegs = jpegs
    self.places = places
  }

  func index(of scan: [UInt8]) -> Int? { places[scan] }

  /// Where a picture's scan is, with the EOI, which is sent, too.
  private static func scan(of jpeg: [UInt8]) -> Range<Int>? {
    let start = (0..<jpeg.count - 4).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA }
    guard let start else { return nil }
    return start + 2 + Int(jpeg[start + 2]) << 8 + Int(jpeg[start + 3])..<jpeg.count
  }

  /// A frame that a camera gives.
  struct Frame {
    let picture: ScriptedDriver.Picture
    /// Its scan may be sent.
    let isGood: Bool
    /// nil: nothing is wrong with it.
    let fault: String?
  }

  /// Picture `number`, or what a bad camera or cable makes of it.
  func frame(_ number: Int, _ random: inout SeededRandom) -> Frame {
    let jpeg = jpegs[number % Self.count]
    guard random.isOne(in: 5) else { return Frame(picture: .init(jpeg), isGood: true, fault: nil) }
    switch Int.random(in: 0..<8, using: &random) {
    case 0:
      let cut = Array(jpeg.dropLast(Int.random(in: 2..<jpeg.count, using: &random)))
      return Frame(picture: .init(cut), isGood: false, fault: "cut frames")
    case 1:
      let bytes = (0..<Int.random(in: 0..<4000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      return Frame(picture: .init(bytes), isGood: false, fault: "frames of garbage")
    case 2:
      let flags = UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) | UInt32(V4L2_BUF_FLAG_ERROR)
      return Frame(picture: .init(jpeg, flags: flags), isGood: false, fault: "frames with the error flag")
    case 3:
      let junk = [UInt8](repeating: 0, count: Int.random(in: 1..<200, using: &random))
      return Frame(picture: .init(jpeg + junk), isGood: true, fault: "frames with zeros after them")
    case 4:
      let lost = jpegs[(number + 1) % Self.count]
      let start = lost[..<Int.random(in: 2..<lost.count / 2, using: &random)]
      return Frame(picture: .init(start + jpeg), isGood: true, fault: "frames after the start of a lost one")
    case 5:
      // Its header: what is wrong with a scan, nobody can know.
      var damaged = jpeg
      let place = Int.random(in: 0..<150, using: &random)
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      return Frame(picture: .init(damaged), isGood: true, fault: "flipped bits in headers")
    case 6:
      let other = jpegs[(number + 7) % Self.count]
      let half = jpeg[..<(jpeg.count / 2)] + other[(other.count / 2)...].dropLast(2)
      return Frame(picture: .init(Array(half)), isGood: false, fault: "frames of two halves without an end")
    default:
      return Frame(picture: .init([]), isGood: false, fault: "empty frames")
    }
  }
}

/// The last frames that a camera gave.
struct GivenFrames {
  private(set) var count = 0
  private var areGood = [Bool](repeating: false, count: Pictures.count)

  mutating func append(isGood: Bool) {
    areGood[count % Pictures.count] = isGood
    count += 1
  }

  /// Which frame a picture was given as last.
  func number(of picture: Int) -> (frame: Int, isGood: Bool)? {
    guard count > 0 else { return nil }
    let last = count - 1
    let frame = last - (last - picture % Pictures.count + Pictures.count) % Pictures.count
    return frame < 0 ? nil : (frame, areGood[picture % Pictures.count])
  }
}
