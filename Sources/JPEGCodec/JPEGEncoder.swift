import CTurboJPEG

/// Encodes pictures of planes to baseline JPEG with the standard entropy tables (libjpeg-turbo), in reused memory.
public struct JPEGEncoder: ~Copyable {
  private let handle: tjhandle

  /// Fails where memory is out.
  public init() throws(CodecError) {
    guard let handle = tjInitCompress() else { throw CodecError("tjInitCompress", nil) }
    self.handle = handle
  }

  deinit { tjDestroy(handle) }

  /// The most bytes that a 4:2:0 picture of this size can have as JPEG.
  public static func largestJPEG(width: Int, height: Int) -> Int {
    Int(tjBufSize(Int32(width), Int32(height), Int32(TJSAMP_420.rawValue)))
  }

  /// Encodes to 4:2:0.
  /// - Parameters:
  ///   - output: memory of at least `largestJPEG`; nothing is allocated for the picture.
  ///   - quality: 1 to 100, as in the IJG's scale.
  /// - Returns: how many bytes of `output` are the JPEG.
  public func encode(
    _ picture: borrowing PlanarPicture, quality: Int, into output: UnsafeMutableRawBufferPointer
  ) throws(CodecError) -> Int {
    var size = UInt(output.count)
    var start = output.assumingMemoryBound(to: UInt8.self).baseAddress
    var status: Int32 = -1
    withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: 3) { planes in
      for index in 0..<3 { planes.initializeElement(at: index, to: UnsafePointer(picture.plane(index).start)) }
      status = tjCompressFromYUVPlanes(
        handle, planes.baseAddress, Int32(picture.width), nil, Int32(picture.height), Int32(TJSAMP_420.rawValue),
        &start, &size, Int32(quality), TJFLAG_NOREALLOC)
    }
    guard status == 0 else { throw CodecError("tjCompressFromYUVPlanes", handle) }
    return Int(size)
  }
}
