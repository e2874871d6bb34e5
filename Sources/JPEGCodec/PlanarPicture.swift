/// A picture in memory of its own: planes of Y, Cb and Cr, 4:2:0, full range.
public struct PlanarPicture: ~Copyable {
  /// Pixels.
  public let width: Int
  /// Pixels.
  public let height: Int
  private let memory: UnsafeMutablePointer<UInt8>
  public let layout: RawLayout
  private let lumaBytes: Int
  private let chromaBytes: Int

  /// A black picture.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
    let stride = Self.stride(width)
    layout = RawLayout(.yuv420, width: width, height: height, stride: stride)
    lumaBytes = stride * height
    chromaBytes = stride / 2 * ((height + 1) / 2)
    memory = .allocate(capacity: lumaBytes + 2 * chromaBytes)
    memory.initialize(repeating: 0, count: lumaBytes)
    (memory + lumaBytes).initialize(repeating: 128, count: 2 * chromaBytes)
  }

  deinit { memory.deallocate() }

  private static func stride(_ width: Int) -> Int { (width + 1) / 2 * 2 }

  /// All of its memory: the planes one after the other.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory, count: lumaBytes + 2 * chromaBytes)
  }

  /// Where it lies.
  public var address: UnsafeMutableRawPointer { UnsafeMutableRawPointer(memory) }

  /// What the encoder reads; valid as long as this value lives.
  public var raw: RawPicture { layout.picture(bytes) }

  /// Plane 0 (Y), 1 (Cb) or 2 (Cr), with its width in memory, which is the distance of its lines, too, and its height.
  public func plane(_ index: Int) -> (start: UnsafeMutablePointer<UInt8>, width: Int, height: Int) {
    guard index > 0 else { return (memory, Self.stride(width), height) }
    return (memory + lumaBytes + (index - 1) * chromaBytes, Self.stride(width) / 2, (height + 1) / 2)
  }

  /// It as a JPEG.
  public func jpeg(quality: Int) throws(CodecError) -> [UInt8] {
    var encoder = try JPEGEncoder(.yuv420, width: width, height: height)
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: JPEGEncoder.largestJPEG(width: width, height: height), alignment: 16)
    defer { memory.deallocate() }
    return Array(memory[..<(try encoder.encode(raw, quality: quality, into: memory))])
  }
}
