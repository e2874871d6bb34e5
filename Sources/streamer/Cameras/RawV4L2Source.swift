import JPEGCodec
import V4L2Capture

/// A V4L2 camera whose raw frames are encoded out of its driver's own buffers.
struct RawV4L2Source: FrameSource, ~Copyable {
  private let ring: BufferRing
  private let controls: [ControlValue]
  private var encoder: FrameEncoder
  private let layout: RawLayout
  /// For a format that is not encoded as it is.
  private let converter: FormatConverter?
  private let isConverted: Bool
  /// Of one frame, as the driver says it.
  private let imageBytes: Int
  let info: SourceInfo

  init(_ camera: consuming V4L2Camera, _ options: StreamOptions) throws {
    let (format, rate, description) = (camera.format, camera.rate ?? options.request.rate, camera.description)
    let controls = camera.controls
    let isConverted = RawLayout(format) == nil
    let readable = isConverted ? FormatConverter.output(of: format) : format
    guard let layout = RawLayout(readable) else {
      throw Failure("\(camera.device.path): its format \(format.format) can't be encoded")
    }
    let encoder = try FrameEncoder(layout, Colour(readable.colours), rate: rate, options.encoding)
    let converter = isConverted ? try FormatConverter(camera.device, format) : nil
    let ring = try BufferRing(camera.device, buffers: options.buffers, interval: rate?.interval)
    // All at the end: Swift 6.0 crashes where a step can fail after a property is set.
    info = SourceInfo(
      size: format.size, rate: rate, largestFrame: encoder.largest,
      description: description + (isConverted ? ", converted by libv4lconvert" : "")
        + ", \(encoder.description), \(ring.count) buffers")
    self.controls = controls
    self.converter = converter
    self.ring = ring
    imageBytes = Int(format.imageBytes)
    self.isConverted = isConverted
    self.layout = layout
    self.encoder = encoder
  }

  var number: Int32 { ring.number }

  var isQueue: Bool { true }

  var isFed: Bool { ring.isFed }

  func restoreControls() -> [String] { ring.withDevice { [controls] in $0.restore(controls) } }

  var isRaw: Bool { true }

  func next() throws -> Frame? { try ring.dequeue() }

  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame {
    // What a driver does not count is not there, even if it wrote it: vivid counts too few bytes of YU12 and YV12 where a
    // line of colour is an odd number of them, and writes past the buffer that it asked for.
    var picture = layout.picture(frame.bytes, frame.second, frame.third)
    if isConverted {
      guard repairs || !frame.isDamaged else { throw .damaged }
      guard let converted = converter?.convert(frame.bytes) else {
        throw frame.bytes.isEmpty ? .empty : frame.bytes.count < imageBytes ? .short : .encoder
      }
      picture = layout.picture(converted)
    }
    return try encoder.encode(frame, picture, repairs: repairs)
  }

  var timestampSource: TimestampSource? { ring.timestampSource }

  var hasFaultyTimestamps: Bool { ring.hasFaultyTimestamps }
}
