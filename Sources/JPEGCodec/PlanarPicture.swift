/// A picture in memory of its own: planes of Y, Cb and Cr, 4:2:0, full range. Odd sides have one column or line more
/// in memory, which belongs to the last block of colour.
public struct PlanarPicture: ~Copyable {
  /// Pixels.
  public let width: Int
  /// Pixels.
  public let height: Int
  private let memory: UnsafeMutablePointer<UInt8>
  private let offsets: (Int, Int, Int)

  /// A black picture.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
    let chroma = ((width + 1) / 2) * ((height + 1) / 2)
    let luma = 4 * chroma
    offsets = (0, luma, luma + chroma)
    memory = .allocate(capacity: luma + 2 * chroma)
    memory.initialize(repeating: 0, count: luma)
    (memory + luma).initialize(repeating: 128, count: 2 * chroma)
  }

  deinit { memory.deallocate() }

  /// Plane 0 (Y), 1 (Cb) or 2 (Cr), with its width in memory, which is the distance of its lines, too, and its height.
  public func plane(_ index: Int) -> (start: UnsafeMutablePointer<UInt8>, width: Int, height: Int) {
    switch index {
    case 0: (memory, (width + 1) / 2 * 2, (height + 1) / 2 * 2)
    case 1: (memory + offsets.1, (width + 1) / 2, (height + 1) / 2)
    default: (memory + offsets.2, (width + 1) / 2, (height + 1) / 2)
    }
  }
}
