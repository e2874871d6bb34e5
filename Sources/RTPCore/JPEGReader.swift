/// Reads a camera's frames in place. A camera repeats its header frame after frame: the usual one is compared with the
/// last, and not parsed again.
public struct JPEGReader: ~Copyable {
  /// Frames without EOI are read, too: what there is of them.
  public let repairs: Bool
  private let memory: UnsafeMutableRawPointer
  /// The last header, whose bytes are in `memory`; there is none where `lastSize` is 0.
  private var last = JPEGHeader.none
  private var lastSize = 0

  /// Longer headers (with a thumbnail, for example) are parsed every time.
  private static let longest = 4096

  /// - Parameter repairs: read what there is of a frame that was cut short.
  public init(repairs: Bool = false) {
    self.repairs = repairs
    memory = .allocate(byteCount: Self.longest, alignment: 64)
  }

  deinit { memory.deallocate() }

  /// Reads a frame.
  /// - Parameters:
  ///   - frame: all that the camera gave; what comes before its picture and after EOI is skipped.
  ///   - isExact: it ends with its EOI, as an encoder of this program leaves it: its end is not searched for.
  /// - Throws: why it can't be sent as it is.
  @inline(__always)
  public mutating func read(_ frame: UnsafeRawBufferPointer, isExact: Bool = false) throws(JPEGFault) -> JPEGPicture {
    guard isLast(frame) else { return try readNew(frame, isExact: isExact) }
    // All of a camera's scan is searched: an EOI at its end may be that of what follows the picture, or of a good frame
    // after the beginning of a lost one.
    guard isExact else { return try search(frame) }
    return JPEGPicture(header: last, scan: .init(rebasing: frame[last.scanOffset...]), isRepaired: false)
  }

  /// A frame with the last header, whose end is to be searched for.
  @inline(never)
  private mutating func search(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) -> JPEGPicture {
    do throws(JPEGFault) { return try picture(last, frame, Self.scanEnd(of: last, frame)) } catch {
      return try readLater(frame)
    }
  }

  /// A frame with another header.
  @inline(never)
  private mutating func readNew(_ frame: UnsafeRawBufferPointer, isExact: Bool) throws(JPEGFault) -> JPEGPicture {
    do throws(JPEGFault) {
      let header = try JPEGHeader(frame)
      // What can't be kept is read again each time.
      keep(header, frame)
      if isExact {
        return JPEGPicture(header: header, scan: .init(rebasing: frame[header.scanOffset...]), isRepaired: false)
      }
      return try picture(header, frame, Self.scanEnd(of: header, frame))
    } catch { return try readLater(frame) }
  }

  /// The picture of a frame that does not begin with a whole one: see `JPEGExtent.first`.
  @inline(never)
  private mutating func readLater(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) -> JPEGPicture {
    let header = try JPEGHeader(frame, from: JPEGExtent.first(in: frame)?.start ?? 0)
    return try repairing(header, frame, Self.scanEnd(of: header, frame))
  }

  /// Reads the header of a frame that is still arriving.
  /// - Parameter frame: its beginning.
  /// - Returns: nil where the header is not all there yet.
  /// - Throws: why it can't be sent as it is.
  public mutating func begin(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) -> ArrivingPicture? {
    if isLast(frame) { return try arriving(last) }
    guard frame.count >= 64 else { return nil }
    let header: JPEGHeader
    do throws(JPEGFault) { header = try JPEGHeader(frame) } catch {
      switch error {
      case .truncated: return nil
      case .noSOI where frame.count < Self.longest: return nil
      default: throw error
      }
    }
    keep(header, frame)
    return try arriving(header)
  }

  private func arriving(_ header: JPEGHeader) throws(JPEGFault) -> ArrivingPicture {
    // Its other half is in the same frame.
    if let polarity = header.polarity, polarity > 0 { throw .unsupported(.fields) }
    return ArrivingPicture(header)
  }

  /// Reads a frame that is all there now, of which a part was sent.
  /// - Parameter arrived: its beginning, as `begin` and `advance` left it.
  public mutating func finish(
    _ arrived: ArrivingPicture, in frame: UnsafeRawBufferPointer
  ) throws(JPEGFault) -> JPEGPicture {
    guard frame.count >= arrived.searched else { throw .noEOI }
    let end = arrived.end ?? Self.scanEnd(of: arrived.header, frame, from: arrived.searched)
    do throws(JPEGFault) { return try picture(arrived.header, frame, end) } catch {
      // What was sent may be the beginning of another frame.
      let first = JPEGExtent.first(in: frame)
      if let first, first.range != nil, first.start != arrived.header.start { throw error }
      return try repairing(arrived.header, frame, end)
    }
  }

  /// A picture, or, where that is wanted, what there is of it.
  private mutating func repairing(
    _ header: JPEGHeader, _ frame: UnsafeRawBufferPointer, _ end: ScanEnd
  ) throws(JPEGFault) -> JPEGPicture {
    do throws(JPEGFault) { return try picture(header, frame, end) } catch {
      let start = header.scanOffset
      guard repairs, error == .noEOI || error == .interruptedScan, end.offset > start else { throw error }
      return JPEGPicture(header: header, scan: .init(rebasing: frame[start..<end.offset]), isRepaired: true)
    }
  }

  @inline(__always)
  private mutating func picture(
    _ header: JPEGHeader, _ frame: UnsafeRawBufferPointer, _ end: ScanEnd
  ) throws(JPEGFault) -> JPEGPicture {
    let start = header.scanOffset
    switch end {
    case .eoi(let end):
      if let polarity = header.polarity, polarity > 0, end < frame.count || header.start > 0 {
        try refuseFields(frame)
      }
      guard !header.isCut(scanSize: end - start) else { throw .noEOI }
      return JPEGPicture(header: header, scan: .init(rebasing: frame[start..<end]), isRepaired: false)
    case .cut(let end):
      // Segments may come between the scan and EOI: DNL, which repeats the height, a comment.
      if let polarity = header.polarity, polarity > 0 { try refuseFields(frame) }
      guard end > start, !header.isCut(scanSize: end - start) else { throw .noEOI }
      guard JPEGSegments(frame, at: end).reachEnd() else {
        // With another picture's SOI there this one ends.
        throw end + 1 < frame.count && frame[end + 1] != 0xD8 ? .interruptedScan : .noEOI
      }
      return JPEGPicture(header: header, scan: .init(rebasing: frame[start..<end]), isRepaired: false)
    }
  }

  @inline(__always)
  private static func scanEnd(
    of header: JPEGHeader, _ frame: UnsafeRawBufferPointer, from start: Int? = nil
  ) -> ScanEnd {
    ScanEnd(of: frame, from: start ?? header.scanOffset, hasRestarts: header.restartInterval > 0)
  }

  /// One field alone is half a picture.
  @inline(never)
  private func refuseFields(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) {
    guard JPEGExtent.contents(of: frame).fields == nil else { throw .unsupported(.fields) }
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
