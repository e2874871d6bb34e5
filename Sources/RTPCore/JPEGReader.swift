/// Reads a camera's frames in place. A camera repeats its header frame after frame: the usual one is compared with the
/// last, and not parsed again.
public struct JPEGReader: ~Copyable {
  /// Frames without EOI are read, too: what there is of them.
  public let repairs: Bool
  private let memory: UnsafeMutableRawPointer
  /// The last header, whose bytes are in `memory`; there is none where `lastSize` is 0.
  private var last = JPEGHeader.none
  private var lastSize = 0
  private var tail = TailCheck()
  /// Frames whose end was searched for, byte by byte.
  private(set) var searches = 0

  /// Longer headers (with a thumbnail, say) are parsed every time.
  private static let longest = 4096

  /// - Parameter repairs: read what there is of a frame that was cut short.
  public init(repairs: Bool = false) {
    self.repairs = repairs
    memory = .allocate(byteCount: Self.longest, alignment: 64)
  }

  deinit { memory.deallocate() }

  /// Reads a frame.
  /// - Parameters:
  ///   - frame: all that the camera gave; what follows EOI is left out.
  ///   - isExact: it ends with its EOI, as an encoder of this program leaves it: its end is not looked for.
  /// - Throws: why it can't be sent as it is.
  public mutating func read(_ frame: UnsafeRawBufferPointer, isExact: Bool = false) throws(JPEGFault) -> JPEGPicture {
    let start = isLast(frame) ? last.scanOffset : try parse(frame)
    // What could not be kept is read anew each time.
    let header = start <= Self.longest ? last : try JPEGHeader(frame)
    if isExact || tail.isTrusted(frame, from: start) {
      return JPEGPicture(header: header, scan: .init(rebasing: frame[start...]), isRepaired: false)
    }
    searches &+= 1
    return try picture(header, frame, ScanEnd(of: frame, from: start))
  }

  /// Reads the header of a frame that is still arriving.
  /// - Parameter frame: its beginning.
  /// - Returns: nil where the header is not all there yet.
  /// - Throws: why it can't be sent as it is.
  public mutating func begin(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) -> ArrivingPicture? {
    if isLast(frame) { return ArrivingPicture(last) }
    guard frame.count >= 64 else { return nil }
    do throws(JPEGFault) {
      let header = try JPEGHeader(frame)
      keep(header, frame)
      return ArrivingPicture(header)
    } catch {
      if case .truncated = error { return nil }
      throw error
    }
  }

  /// Reads a frame that is all there now, of which a part was sent.
  /// - Parameter arrived: what was read of it.
  public mutating func read(
    _ frame: UnsafeRawBufferPointer, behind arrived: ArrivingPicture
  ) throws(JPEGFault) -> JPEGPicture {
    guard frame.count >= arrived.searched else { throw .noEOI }
    return try picture(arrived.header, frame, arrived.end ?? ScanEnd(of: frame, from: arrived.searched))
  }

  @inline(__always)
  private mutating func picture(
    _ header: JPEGHeader, _ frame: UnsafeRawBufferPointer, _ end: ScanEnd
  ) throws(JPEGFault) -> JPEGPicture {
    let start = header.scanOffset
    switch end {
    case .eoi(let end):
      tail.learn(isJunk: end < frame.count)
      return JPEGPicture(header: header, scan: .init(rebasing: frame[start..<end]), isRepaired: false)
    case .cut(let end):
      guard repairs, end > start else { throw .noEOI }
      return JPEGPicture(header: header, scan: .init(rebasing: frame[start..<end]), isRepaired: true)
    }
  }

  @inline(never)
  private mutating func parse(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) -> Int {
    let header = try JPEGHeader(frame)
    keep(header, frame)
    return header.scanOffset
  }

  private mutating func keep(_ header: JPEGHeader, _ frame: UnsafeRawBufferPointer) {
    guard header.scanOffset <= Self.longest, let start = frame.baseAddress else { return }
    memory.copyMemory(from: start, byteCount: header.scanOffset)
    last = header
    lastSize = header.scanOffset
  }

  /// Whether a frame begins with the last header's bytes.
  @inline(__always)
  private func isLast(_ frame: UnsafeRawBufferPointer) -> Bool {
    // A header that can be sent has quantization tables: it is longer than this.
    let count = lastSize
    guard let start = frame.baseAddress, count >= 64, frame.count >= count else { return false }
    // The last block reaches back into the one before it.
    var difference = block(start, count &- 64)
    var offset = 0
    while offset < count &- 64 {
      difference |= block(start, offset)
      offset &+= 64
    }
    return difference.isZero
  }

  /// In which bits 64 bytes of a frame differ from the last header's.
  @inline(__always)
  private func block(_ frame: UnsafeRawPointer, _ offset: Int) -> SIMD8<UInt64> {
    frame.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
      ^ memory.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
  }
}
