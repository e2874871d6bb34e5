import JPEGCodec
import V4L2Capture

/// What a camera was found to give.
struct SourceInfo: Sendable {
  /// Pixels.
  let size: FrameSize
  /// nil where the driver does not say.
  let rate: FrameRate?
  /// The most bytes that a JPEG of it can have.
  var largestFrame: Int
  /// For people.
  var description: String
  /// How its raw frames are read; nil: it gives JPEGs.
  var raw: RawFrames?
}

/// How a camera's raw frames are read.
struct RawFrames: Sendable {
  let layout: RawLayout
  let colour: Colour
  /// The driver's format, where libv4lconvert changes it into that of `layout` first.
  let convertedFormat: Format?

  init(_ layout: RawLayout, _ colour: Colour, convertedFormat: Format? = nil) {
    self.layout = layout
    self.colour = colour
    self.convertedFormat = convertedFormat
  }

  /// nil: it has JPEGs in it.
  /// - Parameter name: of its camera.
  init?(_ format: Format, of name: String, mayConvert: Bool) throws(Failure) {
    guard !PixelFormat.sendable.contains(format.format) else { return nil }
    let converts = mayConvert && RawLayout(format) == nil
    let readable = converts ? FormatConverter.output(of: format) : format
    guard let layout = RawLayout(readable) else {
      throw Failure("\(name): its format \(format.format) can't be encoded")
    }
    self.init(layout, Colour(readable.colours), convertedFormat: converts ? format : nil)
  }
}
