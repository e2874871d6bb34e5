import JPEGCodec
import LinuxIO
import V4L2Capture

/// `test:`: a moving picture with a clock and a frame number in it, made by libjpeg-turbo.
struct TestSource: FrameSource, ~Copyable {
  let info: SourceInfo
  private var ticker: Ticker
  private var encoder: JPEGEncoder
  private let quality: Int
  private var picture: TestPicture
  private let shelf: FrameShelf

  static let usualSize = FrameSize(1280, 720)

  /// The size and rate that a request means.
  static func choose(_ request: ModeRequest) throws(UsageError) -> (size: FrameSize, rate: FrameRate?) {
    let size = request.size ?? usualSize
    guard size.width >= 16, size.height >= 16, size.width <= 8192, size.height <= 8192 else {
      throw UsageError("--size \(size): test: has pictures from 16x16 to 8192x8192")
    }
    return (size, request.rate ?? FrameRate(30))
  }

  init(_ request: ModeRequest, quality: Int) throws {
    let (size, chosen) = try Self.choose(request)
    guard let rate = chosen else { throw Failure("test: has no rate") }
    let largest = JPEGEncoder.largestJPEG(width: Int(size.width), height: Int(size.height))
    let encoder = try JPEGEncoder(.yuv420, width: Int(size.width), height: Int(size.height))
    let ticker = try Ticker(rate)
    info = SourceInfo(
      size: size, rate: rate, largestFrame: largest,
      description: "a built-in moving picture, JPEG \(size) at \(rate) fps, quality \(quality)")
    self.quality = quality
    self.encoder = encoder
    picture = TestPicture(width: Int(size.width), height: Int(size.height))
    shelf = FrameShelf(frameBytes: largest)
    self.ticker = ticker
  }

  var number: Int32 { ticker.number }

  mutating func next() throws -> Frame? {
    guard let (index, time) = ticker.next(), let slot = shelf.freeSlot else { return nil }
    picture.draw(frame: index)
    let size = try encoder.encode(picture.planes.raw, quality: quality, into: shelf.memory(slot))
    return shelf.lend(slot, size: size, sequence: UInt32(truncatingIfNeeded: index), timestamp: time)
  }
}
