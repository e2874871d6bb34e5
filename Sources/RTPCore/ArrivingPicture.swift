/// A camera's frame of which only the beginning is there: how far its scan goes for sure.
public struct ArrivingPicture: Sendable {
  public let header: JPEGHeader
  /// Bytes of the frame that were searched: before them the scan does not end.
  private(set) var searched: Int
  /// Where the scan ends, if that was found: the rest of the frame is no part of it.
  private(set) var end: ScanEnd?

  init(_ header: JPEGHeader) {
    self.header = header
    searched = header.scanOffset
  }

  /// More of the frame is there.
  /// - Parameter frame: its beginning, with what was there before.
  /// - Returns: what is surely of its scan.
  public mutating func advance(_ frame: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    if end == nil, frame.count > searched {
      switch ScanEnd(of: frame, from: searched, hasRestarts: header.restartInterval > 0) {
      case .eoi(let place):
        searched = place
        end = .eoi(place)
      case .cut(let place):
        searched = place
        // With a byte after it, it is a marker that has no place there.
        if place + 1 < frame.count { end = .cut(place) }
      }
    }
    return UnsafeRawBufferPointer(rebasing: frame[header.scanOffset..<max(searched, header.scanOffset)])
  }
}
