/// Where the entropy-coded bytes of a scan end (ITU-T T.81, B.1.1.5): a byte of 0xFF among them is followed by 0
/// (stuffed), by RSTn, or by another (fill bytes).
///
/// All of it is searched: an EOI at the very end of a camera's buffer can be that of junk after the picture's own.
enum ScanEnd: Equatable {
  /// After EOI.
  case eoi(Int)
  /// Without EOI: at the end of the bytes, without half a marker, or at a marker that has no place in a scan.
  case cut(Int)

  /// Searches a scan for its end.
  /// - Parameters:
  ///   - start: where to begin: within the scan, and not after half a marker.
  ///   - hasRestarts: the scan has restart markers. Then a marker code below SOF0 is a damaged byte, as libjpeg takes it
  ///     (jpeg_resync_to_restart): only its restart interval is lost. Without restart markers all the rest is lost.
  init(of bytes: UnsafeRawBufferPointer, from start: Int, hasRestarts: Bool = false) {
    var offset = start
    while offset < bytes.count {
      offset = Self.markerFree(bytes, from: offset)
      // A marker is in this block, or the bytes end.
      let stop = min(offset + Self.block, bytes.count)
      while offset < stop {
        guard bytes[offset] == 0xFF else {
          offset += 1
          continue
        }
        guard offset + 1 < bytes.count else {
          self = .cut(offset)
          return
        }
        switch bytes[offset + 1] {
        case 0x00, 0xD0...0xD7: offset += 2
        case 0x01...0xBF where hasRestarts: offset += 2
        case 0xFF: offset += 1
        case 0xD9:
          self = .eoi(offset + 2)
          return
        default:
          self = .cut(offset)
          return
        }
      }
    }
    self = .cut(bytes.count)
  }

  /// Where it is.
  var offset: Int {
    switch self {
    case .eoi(let place), .cut(let place): place
    }
  }

  private static let block = 64

  /// Passes over blocks in which each 0xFF is followed by 0.
  /// - Returns: where the first block begins that is not passed over.
  @inline(__always)
  private static func markerFree(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard let first = bytes.baseAddress, start < bytes.count else { return start }
    // The last byte of a block is compared along with the byte after it.
    var left = (bytes.count - start - 1) / block
    var place = first + start
    while left > 0 {
      var found = Vector.zero
      for part in 0..<block / 16 {
        let here = place.loadUnaligned(fromByteOffset: part &* 16, as: Vector.self)
        let after = place.loadUnaligned(fromByteOffset: part &* 16 &+ 1, as: Vector.self)
        found |= isSet(here .== Vector(repeating: 0xFF)) & ~isSet(after .== .zero)
      }
      guard unsafeBitCast(found, to: SIMD2<UInt64>.self).isZero else { break }
      place += block
      left &-= 1
    }
    return place - first
  }

  private typealias Vector = SIMD16<UInt8>

  /// 0xFF where a mask is true.
  @inline(__always)
  private static func isSet(_ mask: SIMDMask<Vector.MaskStorage>) -> Vector { unsafeBitCast(mask, to: Vector.self) }
}
