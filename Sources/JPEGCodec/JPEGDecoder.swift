import CTurboJPEG

/// Decodes JPEGs (libjpeg-turbo), to tell whether they are whole.
public struct JPEGDecoder: ~Copyable {
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

  /// Decodes a picture to RGB, and takes every warning (bytes that are missing or can't be) for an error.
  /// - Returns: its size, and its pixels, three bytes each, until the next call.
  public mutating func decode(
    _ jpeg: UnsafeRawBufferPointer
  ) throws(CodecError) -> (width: Int, height: Int, pixels: UnsafeRawBufferPointer) {
    let info = try PictureInfo(jpeg, handle)
    pixels.grow(to: info.rgbBytes)
    guard
      tjDecompress2(
        handle, jpeg.assumingMemoryBound(to: UInt8.self).baseAddress, UInt(jpeg.count),
        pixels.assumingMemoryBound(to: UInt8.self).baseAddress, info.width, 0, info.height,
        Int32(TJPF_RGB.rawValue), TJFLAG_STOPONWARNING | TJFLAG_ACCURATEDCT) == 0
    else { throw CodecError("tjDecompress2", handle) }
    return (Int(info.width), Int(info.height), UnsafeRawBufferPointer(rebasing: pixels[..<info.rgbBytes]))
  }
}
