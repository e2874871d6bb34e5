import LinuxIO
import V4L2Capture

/// `test:`: a moving picture with a clock and a frame number in it, made by libjpeg-turbo.
struct TestSource: FrameSource, ~Copyable {
  let info: SourceInfo
  private var ticker: Ticker
  private var encoder: FrameEncoder
  private var picture: TestPicture

  static let usualSize = FrameSize(1280, 720)

  /// The size and rate that a request means.
  static func choose(_ request: ModeRequest) throws(UsageError) -> (size: FrameSize, rate: FrameRate?) {
    let size = request.size ?? usualSize
    guard size.width >= 16, size.height >= 16, size.width <= 8192, size.height <= 8192 else {
      throw UsageError("--size \(size): test: has pictures from 16x16 to 8192x8192")
    }
    return (size, request.rate ?? FrameRate(30))
  }

  init(_ options: StreamOptions) throws {
    let (size, chosen) = try Self.choose(options.request)
    guard let rate = chosen else { throw Failure("test: has no rate") }
    let picture = TestPicture(width: Int(size.width), height: Int(size.height))
    let encoder = try FrameEncoder(picture.planes.layout, .jpeg, rate: rate, options.encoding)
    let ticker = try Ticker(rate)
    info = SourceInfo(
      size: size, rate: rate, largestFrame: encoder.largest,
      description: "a built-in moving picture, \(size) at \(rate) fps, \(encoder.description)")
    self.encoder = encoder
    self.picture = picture
    self.ticker = ticker
  }

  var number: Int32 { ticker.number }

  var isRaw: Bool { true }

  var workedThrough: UInt64? { ticker.workedThrough }

  mutating func next() throws -> Frame? {
    guard let (index, time) = ticker.next() else { return nil }
    picture.draw(frame: index)
    // There is nothing to give back: it is encoded before the next is drawn.
    return Frame(
      bytes: picture.planes.bytes, sequence: UInt32(truncatingIfNeeded: index), timestamp: time,
      lender: picture.planes.address, index: 0
    ) { _, _ in }
  }

  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame {
    try encoder.encode(frame, picture.planes.raw, repairs: repairs)
  }
}
