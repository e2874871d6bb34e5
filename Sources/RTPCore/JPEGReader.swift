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

  @inline(__always)
  private mutating func header(of frame: UnsafeRawBufferPointer) throws(JPEGFault) -> JPEGHeader {
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
    typealias Block = SIMD32<UInt8>
    var offset = 0
    while offset + 32 <= count {
      guard
        frame.loadUnaligned(fromByteOffset: offset, as: Block.self)
          == memory.loadUnaligned(fromByteOffset: offset, as: Block.self)
      else { return false }
      offset += 32
    }
    while offset < count {
      guard frame[offset] == memory.load(fromByteOffset: offset, as: UInt8.self) else { return false }
      offset += 1
    }
    return true
  }
}
