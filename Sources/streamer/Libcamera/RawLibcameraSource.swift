import JPEGCodec
import V4L2Capture

/// A camera of libcamera's whose raw frames are encoded out of its buffers, plane by plane where they lie.
struct RawLibcameraSource: FrameSource, ~Copyable {
  private let ring: LibcameraRing
  private var encoder: FrameEncoder
  private let layout: RawLayout
  let info: SourceInfo

  init(_ camera: consuming LibcameraCamera, _ options: StreamOptions) throws {
    let (format, rate, description) = (camera.format, camera.rate, camera.description)
    guard let layout = RawLayout(format) else {
      throw Failure("\(camera.device.name): its format \(format.format) can't be encoded")
    }
    let encoder = try FrameEncoder(layout, Colour(format.colours), rate: rate, options.encoding)
    let ring = try LibcameraRing(camera)
    info = SourceInfo(
      size: format.size, rate: rate, largestFrame: encoder.largest,
      description: "\(description), \(encoder.description), \(ring.description)")
    self.ring = ring
    self.layout = layout
    self.encoder = encoder
  }

  var number: Int32 { ring.number }

  var isQueue: Bool { true }

  var isRaw: Bool { true }

  func next() throws -> Frame? { try ring.dequeue() }

  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame {
    let picture = layout.picture(frame.bytes, frame.second, frame.third)
    return try encoder.encode(frame, picture, repairs: repairs)
  }

  var timestampSource: TimestampSource? { ring.timestampSource }

  var hasFaultyTimestamps: Bool { ring.hasFaultyTimestamps }
}
