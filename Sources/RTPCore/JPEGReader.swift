/// Reads a camera's frames in place. A camera repeats its header frame after frame: the usual one is compared with the
/// last, and not parsed again.
public struct JPEGReader: ~Copyable {
  /// Frames without EOI are read, too: what there is of them.
  public let repairs: Bool
  private let memory: UnsafeMutableRawPointer
  /// The last header, whose bytes are in `memory`.
  private var last: JPEGHeader?

  /// Longer headers (with a thumbnail, say) are parsed every time.
  private static let longest = 4096

  /// - Parameter repairs: read what there is of a frame that was cut short.
  public init(repairs: Bool = false) {
    self.repairs = repairs
    memory = .allocate(byteCount: Self.longest, alignment: 64)
  }

  deinit { memory.deallocate() }

  /// Reads a frame.
  /// - Parameter frame: all that the camera gave; what follows EOI is left out.
  /// - Throws: why it can't be sent as it is.
  public mutating func read(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) -> JPEGPicture {
    let header = try header(of: frame)
    let start = header.scanOffset
    switch ScanEnd(of: frame, from: start) {
    case .eoi(let end):
      return JPEGPicture(header: header, scan: .init(rebasing: frame[start..<end]), isRepaired: false)
    case .cut(let end):
      guard repairs, end > start else { throw .noEOI }
      return JPEGPicture(header: header, scan: .init(rebasing: frame[start..<end]), isRepaired: true)
    }
  }

  /// A frame's header: the last one's where it has the same bytes.
  @inline(__always)
  public mutating func header(of frame: UnsafeRawBufferPointer) throws(JPEGFault) -> JPEGHeader {
    if let last, frame.count >= last.scanOffset, isSame(frame, last.scanOffset) { return last }
    let header = try JPEGHeader(frame)
    if header.scanOffset <= Self.longest, let start = frame.baseAddress {
      memory.copyMemory(from: start, byteCount: header.scanOffset)
      last = header
    }
    return header
  }

  /// Whether the first `count` bytes, of which there are so many, are the last header's.
  @inline(__always)
  private func isSame(_ frame: UnsafeRawBufferPointer, _ count: Int) -> Bool {
    // A header that can be sent has quantization tables: it is longer than this.
    typealias Block = SIMD8<UInt64>
    guard let start = frame.baseAddress, count >= 64 else { return false }
    var difference = Block.zero
    var offset = 0
    while offset < count {
      // The last block reaches back into the one before it.
      let place = min(offset, count &- 64)
      difference |=
        start.loadUnaligned(fromByteOffset: place, as: Block.self)
        ^ memory.loadUnaligned(fromByteOffset: place, as: Block.self)
      offset &+= 64
    }
    let half = difference.lowHalf | difference.highHalf
    let quarter = half.lowHalf | half.highHalf
    return quarter[0] | quarter[1] == 0
  }
}
