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

/// Encodes a camera's raw frames: each into memory of its own, which is lent on until it was sent.
struct FrameEncoder: ~Copyable {
  private var encoder: JPEGEncoder
  private let shelf: FrameShelf
  private let quality: Int
  private var control: QualityControl?
  /// The most bytes that a frame can have.
  let largest: Int
  /// For people.
  let description: String

  /// - Parameters:
  ///   - colour: what its pictures' numbers mean.
  ///   - rate: of its frames, where that is known.
  init(_ layout: RawLayout, _ colour: Colour, rate: FrameRate?, _ options: EncodingOptions) throws(CodecError) {
    let encoder = try JPEGEncoder(
      layout.format, width: layout.width, height: layout.height, colour: options.convertsColours ? colour : .jpeg,
      subsampling: options.subsampling)
    largest = JPEGEncoder.largestJPEG(width: layout.width, height: layout.height, subsampling: options.subsampling)
    shelf = FrameShelf(frameBytes: largest)
    let quality = options.quality ?? (options.bitrate == nil ? 80 : 95)
    self.quality = quality
    if let bitrate = options.bitrate {
      control = QualityControl(bitrate: bitrate, best: quality, interval: rate?.interval ?? 33_333_333)
    }
    let sampling = options.subsampling == .yuv420 ? "4:2:0" : "4:2:2"
    let held = options.bitrate.map { "\(JSON.number($0 / 1e6)) Mbit/s, quality up to \(quality)" }
    description = "encoded here to JPEG \(sampling), \(held ?? "quality \(quality)")"
    self.encoder = encoder
  }

  /// Encodes a frame, and gives it back to its camera.
  /// - Parameters:
  ///   - picture: what lies in it.
  ///   - repairs: a frame that is damaged or cut short is encoded, too, with grey in place of what is missing.
  mutating func encode(
    _ frame: consuming Frame, _ picture: RawPicture, repairs: Bool
  ) throws(DropCause) -> Frame {
    guard !frame.bytes.isEmpty else { throw .empty }
    guard repairs || !frame.isDamaged else { throw .damaged }
    guard repairs || picture.isWhole else { throw .short }
    guard let slot = shelf.freeSlot else { throw .encoder }
    let size: Int
    do throws(CodecError) {
      size = try encoder.encode(picture, quality: control?.quality ?? quality, into: shelf.memory(slot))
    } catch { throw .encoder }
    control?.encoded(size, at: frame.timestamp)
    return shelf.lend(slot, size: size, of: frame, isDamaged: frame.isDamaged || !picture.isWhole)
  }
}
