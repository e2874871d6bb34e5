import CTurboJPEG

/// Decodes JPEGs (libjpeg-turbo).
public struct JPEGDecoder: ~Copyable {
  /// What a picture is decoded to.
  public enum Pixels: Sendable {
    /// Three bytes a pixel.
    case rgb
    /// A byte a pixel: the colours are not looked at, where the picture has any.
    case luma
  }

  private let handle: tjhandle
  private var pixels: UnsafeMutableRawBufferPointer

  /// Fails where memory is out.
  public init() throws(CodecError) {
    guard let handle = tjInitDecompress() else { throw CodecError("tjInitDecompress", nil) }
    self.handle = handle
    pixels = .init(start: nil, count: 0)
  }

  deinit {
    tjDestroy(handle)
    pixels.deallocate()
  }

  /// Decodes a picture, and takes every warning (bytes that are missing or can't be) for an error.
  /// - Returns: its size, and its pixels, line by line without space between them, until the next call.
  public mutating func decode(
    _ jpeg: UnsafeRawBufferPointer, to form: Pixels = .rgb
  ) throws(CodecError) -> (width: Int, height: Int, pixels: UnsafeRawBufferPointer) {
    let info = try PictureInfo(jpeg, handle)
    let (size, format) = form == .rgb ? (info.rgbBytes, TJPF_RGB) : (info.pixels, TJPF_GRAY)
    pixels.grow(to: size)
    guard
      tjDecompress2(
        handle, jpeg.assumingMemoryBound(to: UInt8.self).baseAddress, UInt(jpeg.count),
        pixels.assumingMemoryBound(to: UInt8.self).baseAddress, info.width, 0, info.height,
        Int32(format.rawValue), TJFLAG_STOPONWARNING | TJFLAG_ACCURATEDCT) == 0
    else { throw CodecError("tjDecompress2", handle) }
    return (Int(info.width), Int(info.height), UnsafeRawBufferPointer(rebasing: pixels[..<size]))
  }
}
