import LinuxIO
import V4L2Capture

/// `test:`: a moving picture with a clock and a frame number in it, made by libjpeg-turbo.
struct TestSource: ~Copyable {
  let info: SourceInfo
  private let ticker: Ticker
  private let picture: TestPicture

  static let usualSize = FrameSize(1280, 720)

  /// The size and rate that a request means.
  static func choose(_ request: ModeRequest) throws(UsageError) -> (size: FrameSize, rate: FrameRate?) {
    let size = request.size ?? usualSize
    guard size.width >= 16, size.height >= 16, size.width <= 8192, size.height <= 8192 else {
      throw UsageError("--size \(size): test: has pictures from 16x16 to 8192x8192")
    }
    return (size, request.rate ?? FrameRate(30))
  }

  init(_ settings: SourceSettings) throws {
    let (size, chosen) = try Self.choose(settings.request)
    guard let rate = chosen else { throw Failure("test: has no rate") }
    let picture = TestPicture(width: Int(size.width), height: Int(size.height))
    let ticker = try Ticker(rate)
    info = SourceInfo(
      size: size, rate: rate, largestFrame: picture.planes.bytes.count,
      description: "a built-in moving picture, \(size) at \(rate) fps", raw: RawFrames(picture.planes.layout, .jpeg))
    self.picture = picture
    self.ticker = ticker
  }

  var fileDescriptor: Int32 { ticker.fileDescriptor }

  var workedThrough: UInt64? { ticker.workedThrough }

  func next() -> Frame? {
    guard let (index, time) = ticker.next() else { return nil }
    picture.draw(frame: index)
    // There is nothing to return: it is encoded before the next is drawn.
    return Frame(
      bytes: picture.planes.bytes, sequence: UInt32(truncatingIfNeeded: index), timestamp: time,
      lender: picture.planes.address, index: 0
    ) { _, _ in }
  }
}
