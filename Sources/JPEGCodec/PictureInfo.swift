import CTurboJPEG

/// A JPEG's header as libjpeg-turbo reads it.
struct PictureInfo {
  /// Pixels.
  let width: Int32
  /// Pixels.
  let height: Int32
  /// A value of TJSAMP's.
  let sampling: UInt32

  /// Larger pictures are refused: a damaged header must not take all memory.
  private static let mostPixels = 1 << 26

  /// - Parameter handle: a decompressor or transformer.
  init(_ jpeg: UnsafeRawBufferPointer, _ handle: tjhandle) throws(CodecError) {
    let bytes = jpeg.assumingMemoryBound(to: UInt8.self).baseAddress
    var (width, height, sampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
    guard tjDecompressHeader3(handle, bytes, UInt(jpeg.count), &width, &height, &sampling, &space) == 0 else {
      throw CodecError("tjDecompressHeader3", handle)
    }
    // Tables without a picture are no error to the library.
    guard width > 0, height > 0 else { throw CodecError("tjDecompressHeader3", reason: "there is no picture in it") }
    guard Int(width) * Int(height) <= Self.mostPixels else {
      throw CodecError("tjDecompressHeader3", reason: "\(width)x\(height) is over 64 megapixels")
    }
    self.width = width
    self.height = height
    self.sampling = UInt32(bitPattern: sampling)
  }

  /// How many.
  var pixels: Int { Int(width) * Int(height) }

  /// Bytes of the picture in RGB.
  var rgbBytes: Int { 3 * pixels }
}

extension UnsafeMutableRawBufferPointer {
  /// Memory of at least `count` bytes; what was in it is lost.
  mutating func grow(to count: Int) {
    guard self.count < count else { return }
    deallocate()
    self = .allocate(byteCount: count, alignment: 16)
  }
}
