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
    let bytes = jpeg.assumingMemoryBound(to: UInt8.self).baseAddress
    var (width, height, sampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
    guard
      tjDecompressHeader3(handle, bytes, UInt(jpeg.count), &width, &height, &sampling, &space) == 0
    else { throw CodecError("tjDecompressHeader3", handle) }
    let size = 3 * Int(width) * Int(height)
    if pixels.count < size {
      pixels.deallocate()
      pixels = .allocate(byteCount: size, alignment: 16)
    }
    guard
      tjDecompress2(
        handle, bytes, UInt(jpeg.count), pixels.assumingMemoryBound(to: UInt8.self).baseAddress, width, 0,
        height, Int32(TJPF_RGB.rawValue), TJFLAG_STOPONWARNING | TJFLAG_ACCURATEDCT) == 0
    else { throw CodecError("tjDecompress2", handle) }
    return (Int(width), Int(height), UnsafeRawBufferPointer(rebasing: pixels[..<size]))
  }
}
