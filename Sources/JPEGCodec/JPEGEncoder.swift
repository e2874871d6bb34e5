import CJPEG
import CTurboJPEG

/// Encodes raw pictures of one kind to baseline JPEG with the standard entropy tables (libjpeg-turbo), in reused memory.
///
/// The library is handed the picture's own lines, 8 or 16 at a time; lines that are not as it wants them are brought to
/// that in a few lines of memory that stay in the CPU's cache (`LineBand`).
public struct JPEGEncoder: ~Copyable {
  private let library: OpaquePointer
  private var band: LineBand
  private let isRGB: Bool
  private let height: Int

  /// - Parameters:
  ///   - format: of all pictures, as are width and height (pixels, 1 to 65500).
  ///   - colour: what the pictures' numbers mean; `.jpeg` leaves them as they are.
  /// - Throws: where memory is out.
  public init(
    _ format: RawFormat, width: Int, height: Int, colour: Colour = .jpeg, subsampling: Subsampling = .yuv420
  ) throws(CodecError) {
    let shape = cjpeg_shape(
      width: Int32(width), height: Int32(height), lines_per_chroma: Int32(subsampling.linesPerChroma),
      input: format.input)
    guard let library = cjpeg_create(shape) else { throw CodecError("jpeg_create_compress", reason: "out of memory") }
    self.library = library
    self.height = height
    isRGB = format.isRGB
    band = LineBand(format, width: width, height: height, colour: colour, subsampling: subsampling)
  }

  deinit { cjpeg_destroy(library) }

  /// The most bytes that a picture of this size can have as JPEG.
  public static func largestJPEG(width: Int, height: Int, subsampling: Subsampling = .yuv420) -> Int {
    let sampling = subsampling == .yuv420 ? TJSAMP_420 : TJSAMP_422
    return Int(tjBufSize(Int32(width), Int32(height), Int32(sampling.rawValue)))
  }

  /// Encodes a picture. Lines that it does not have become grey.
  /// - Parameters:
  ///   - quality: 1 to 100, as in the IJG's scale.
  ///   - output: memory of at least `largestJPEG`; the library allocates nothing for the picture but its own few lines.
  /// - Returns: how many bytes of `output` are the JPEG.
  public mutating func encode(
    _ picture: RawPicture, quality: Int, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    guard cjpeg_start(library, Int32(quality), output.baseAddress, output.count) == 0 else {
      throw CodecError("jpeg_start_compress", library)
    }
    var line = 0
    while line < height {
      let status: Int32
      if isRGB {
        let count = band.readPixels(picture, from: line)
        status = cjpeg_write_pixels(library, band.luma, Int32(count))
      } else {
        band.readPlanes(picture, from: line)
        status = cjpeg_write_planes(library, band.luma, band.blue, band.red)
      }
      guard status == 0 else { throw CodecError("jpeg_write", library) }
      line += band.lines
    }
    let size = cjpeg_finish(library)
    guard size > 0 else { throw CodecError("jpeg_finish_compress", library) }
    return size
  }
}

extension RawFormat {
  /// What the library is given.
  fileprivate var input: cjpeg_input {
    guard case .rgb(let order) = self else { return CJPEG_PLANES }
    return switch order {
    case .rgb: CJPEG_RGB
    case .bgr: CJPEG_BGR
    case .rgbx: CJPEG_RGBX
    case .bgrx: CJPEG_BGRX
    case .xrgb: CJPEG_XRGB
    case .xbgr: CJPEG_XBGR
    }
  }
}

extension CodecError {
  fileprivate init(_ call: String, _ library: OpaquePointer) {
    self.init(call, reason: String(cString: cjpeg_reason(library)))
  }
}
