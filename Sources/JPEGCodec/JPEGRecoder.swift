import CTurboJPEG

/// Brings JPEGs that RTP can't carry to ones that it can (libjpeg-turbo), in reused memory.
public struct JPEGRecoder: ~Copyable {
  /// How.
  public enum Method: Sendable, Equatable {
    /// From the coefficients: baseline with the standard entropy tables, in one scan, the same pixels.
    case lossless
    /// Decoded and encoded again: another sampling, colour where there was none, other tables.
    case reencoded
  }

  /// Quality of what is encoded again: high, since it was quantized once already.
  private static let quality: Int32 = 92

  private let transformer: tjhandle
  private let compressor: tjhandle
  private var output: UnsafeMutableRawBufferPointer
  private var pixels: UnsafeMutableRawBufferPointer

  /// Fails where memory is out.
  public init() throws(CodecError) {
    guard let transformer = tjInitTransform() else { throw CodecError("tjInitTransform", nil) }
    guard let compressor = tjInitCompress() else {
      tjDestroy(transformer)
      throw CodecError("tjInitCompress", nil)
    }
    self.transformer = transformer
    self.compressor = compressor
    output = .init(start: nil, count: 0)
    pixels = .init(start: nil, count: 0)
  }

  deinit {
    tjDestroy(transformer)
    tjDestroy(compressor)
    output.deallocate()
    pixels.deallocate()
  }

  /// Re-codes a JPEG.
  /// - Returns: the new one, until the next call.
  /// - Throws: what the library says, warnings (bytes that are missing or can't be) among it.
  public mutating func recode(_ jpeg: UnsafeRawBufferPointer, _ method: Method) throws(CodecError)
    -> UnsafeRawBufferPointer
  {
    let info = try PictureInfo(jpeg, transformer)
    output.grow(to: Int(tjBufSize(info.width, info.height, Int32(TJSAMP_444.rawValue))))
    var start = output.assumingMemoryBound(to: UInt8.self).baseAddress
    var size = UInt(output.count)
    switch method {
    case .lossless: try transform(jpeg, &start, &size)
    case .reencoded: try encode(jpeg, info, &start, &size)
    }
    return UnsafeRawBufferPointer(rebasing: output[..<Int(size)])
  }

  private func transform(
    _ jpeg: UnsafeRawBufferPointer, _ start: inout UnsafeMutablePointer<UInt8>?, _ size: inout UInt
  ) throws(CodecError) {
    var change = tjtransform()
    change.op = Int32(TJXOP_NONE.rawValue)
    change.options = TJXOPT_COPYNONE
    let status = tjTransform(
      transformer, jpeg.assumingMemoryBound(to: UInt8.self).baseAddress, UInt(jpeg.count), 1, &start, &size, &change,
      TJFLAG_NOREALLOC | TJFLAG_LIMITSCANS)
    guard status == 0 else { throw CodecError("tjTransform", transformer) }
  }

  private mutating func encode(
    _ jpeg: UnsafeRawBufferPointer, _ info: PictureInfo, _ start: inout UnsafeMutablePointer<UInt8>?, _ size: inout UInt
  ) throws(CodecError) {
    pixels.grow(to: info.rgbBytes)
    let rgb = pixels.assumingMemoryBound(to: UInt8.self).baseAddress
    let format = Int32(TJPF_RGB.rawValue)
    let decoded = tjDecompress2(
      transformer, jpeg.assumingMemoryBound(to: UInt8.self).baseAddress, UInt(jpeg.count), rgb, info.width, 0,
      info.height, format, TJFLAG_LIMITSCANS)
    guard decoded == 0 else { throw CodecError("tjDecompress2", transformer) }
    // 4:4:4 keeps its vertical resolution of colour.
    let sampling = info.sampling == TJSAMP_444.rawValue ? TJSAMP_422 : TJSAMP_420
    let encoded = tjCompress2(
      compressor, rgb, info.width, 0, info.height, format, &start, &size, Int32(sampling.rawValue), Self.quality,
      TJFLAG_NOREALLOC)
    guard encoded == 0 else { throw CodecError("tjCompress2", compressor) }
  }
}
