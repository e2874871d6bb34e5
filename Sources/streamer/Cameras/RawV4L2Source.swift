import JPEGCodec
import V4L2Capture

/// A V4L2 camera whose raw frames are encoded out of its driver's own buffers.
struct RawV4L2Source: FrameSource, ~Copyable {
  private let ring: BufferRing
  private var encoder: FrameEncoder
  private let layout: RawLayout
  /// For a format that is not encoded as it is.
  private let converter: FormatConverter?
  private let isConverted: Bool
  /// Of one frame, as the driver says it.
  private let imageBytes: Int
  /// Of one frame in its first memory, as its lines have it.
  private let pictureBytes: Int
  let info: SourceInfo

  init(_ camera: consuming V4L2Camera, _ options: StreamOptions) throws {
    let (format, rate, description) = (camera.format, camera.rate ?? options.request.rate, camera.description)
    let isConverted = RawLayout(format) == nil
    let readable = isConverted ? FormatConverter.output(of: format) : format
    guard let layout = RawLayout(readable) else {
      throw Failure("\(camera.device.path): its format \(format.format) can't be encoded")
    }
    let encoder = try FrameEncoder(layout, Colour(readable.colours), rate: rate, options.encoding)
    let converter = isConverted ? try FormatConverter(camera.device, format) : nil
    let ring = try BufferRing(camera.device, buffers: options.buffers)
    info = SourceInfo(
      size: format.size, rate: rate, largestFrame: encoder.largest,
      description: description + (isConverted ? ", converted by libv4lconvert" : "")
        + ", \(encoder.description), \(ring.count) buffers")
    self.converter = converter
    self.ring = ring
    imageBytes = Int(format.imageBytes)
    pictureBytes = layout.byteCount
    self.isConverted = isConverted
    self.layout = layout
    self.encoder = encoder
  }

  var number: Int32 { ring.number }

  var isQueue: Bool { true }

  var isRaw: Bool { true }

  func next() throws -> Frame? { try ring.dequeue() }

  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame {
    var picture = layout.picture(
      isConverted ? .init(start: nil, count: 0) : filled(frame.bytes), frame.second, frame.third)
    if isConverted {
      guard repairs || !frame.isDamaged else { throw .damaged }
      guard let converted = converter?.convert(frame.bytes) else {
        throw frame.bytes.isEmpty ? .empty : frame.bytes.count < imageBytes ? .short : .encoder
      }
      picture = layout.picture(converted)
    } else if frame.second.isEmpty, imageBytes > 0, frame.bytes.count >= imageBytes {
      picture.isWhole = true
    }
    return try encoder.encode(frame, picture, repairs: repairs)
  }

  /// The part of a buffer that the driver filled. Some count fewer bytes than they fill where a line of colour is no whole
  /// number of bytes (vivid, where a width is no multiple of 4): the picture goes on in the last page that they count.
  private func filled(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard bytes.count >= imageBytes, bytes.count < pictureBytes, let start = bytes.baseAddress else { return bytes }
    let left = -(Int(bitPattern: start) + bytes.count) & (Self.page - 1)
    return UnsafeRawBufferPointer(start: start, count: min(bytes.count + left, pictureBytes))
  }

  /// The least that a page is.
  private static var page: Int { 4096 }

  var timestampSource: TimestampSource? { ring.timestampSource }
}
