import JPEGCodec
import LinuxIO
import V4L2Capture

/// What a camera that gives raw pictures is encoded with.
struct EncodingOptions: Sendable {
  /// 1 to 100, as in the IJG's scale; where a rate is held, the best that is taken. nil: 80, or 95 there.
  var quality: Int?
  /// Bits a second; nil: each frame has the same quality.
  var bitrate: Double?
  var subsampling = Subsampling.yuv420
  /// Pictures are brought to JPEG's colours: full range, BT.601.
  var convertsColours = true
}

/// The stage after a camera that gives raw frames: encodes each into memory of its own, which is leased until it was sent.
struct FrameEncoder: ~Copyable {
  private var encoder: JPEGEncoder
  private let layout: RawLayout
  /// For a format that is not encoded as it is, and its bytes of a frame, as the driver says them.
  private let converter: FormatConverter?
  private let convertedBytes: Int?
  private let shelf: FrameShelf
  private let quality: Int
  private var control: QualityControl?
  /// The most bytes that a frame can have.
  let largest: Int
  /// For people.
  let description: String

  /// - Parameters:
  ///   - frames: how they are read.
  ///   - rate: of them, where that is known.
  ///   - converter: where they need one.
  init(
    _ frames: RawFrames, rate: FrameRate?, converter: consuming FormatConverter?, _ options: EncodingOptions
  ) throws(CodecError) {
    let layout = frames.layout
    let encoder = try JPEGEncoder(
      layout.format, width: layout.width, height: layout.height,
      colour: options.convertsColours ? frames.colour : .jpeg, subsampling: options.subsampling)
    largest = JPEGEncoder.largestJPEG(width: layout.width, height: layout.height, subsampling: options.subsampling)
    shelf = FrameShelf(frameBytes: largest)
    let quality = options.quality ?? (options.bitrate == nil ? 80 : 95)
    self.quality = quality
    if let bitrate = options.bitrate {
      control = QualityControl(bitrate: bitrate, best: quality, interval: rate?.interval ?? 33_333_333)
    }
    let sampling = options.subsampling == .yuv420 ? "4:2:0" : "4:2:2"
    let held = options.bitrate.map { "\(JSON.number($0 / 1e6)) Mbit/s, quality up to \(quality)" }
    description =
      (frames.convertedFormat == nil ? "" : "converted by libv4lconvert, ")
      + "encoded here to JPEG \(sampling), \(held ?? "quality \(quality)")"
    convertedBytes = frames.convertedFormat.map { Int($0.imageBytes) }
    self.converter = converter
    self.layout = layout
    self.encoder = encoder
  }

  /// Encodes a frame, and gives it back to its camera.
  /// - Parameter repairs: a frame that is damaged or cut short is encoded, too, with grey in place of what is missing.
  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame {
    guard !frame.bytes.isEmpty else { throw .empty }
    guard repairs || !frame.isDamaged else { throw .damaged }
    let picture = try picture(frame)
    guard repairs || picture.isWhole else { throw .short }
    guard let slot = shelf.freeSlot else { throw .encoder }
    let size: Int
    do throws(CodecError) {
      size = try encoder.encode(picture, quality: control?.quality ?? quality, into: shelf.memory(slot))
    } catch { throw .encoder }
    control?.encoded(size, at: frame.timestamp)
    return shelf.lend(slot, size: size, of: frame, isDamaged: frame.isDamaged || !picture.isWhole)
  }

  /// What lies in a frame. What a driver does not count is not there, even if it wrote it: vivid counts too few bytes of
  /// YU12 and YV12 where a line of colour is an odd number of them, and writes past the buffer that it asked for.
  private func picture(_ frame: borrowing Frame) throws(DropCause) -> RawPicture {
    guard let convertedBytes else { return layout.picture(frame.bytes, frame.second, frame.third) }
    guard let converted = converter?.convert(frame.bytes) else {
      throw frame.bytes.count < convertedBytes ? .short : .encoder
    }
    return layout.picture(converted)
  }
}
