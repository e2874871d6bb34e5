/// The packets of one frame: headers in the packetizer's arena, and ranges of the scan where it lies. All are of
/// one size but the last, so that the kernel can cut them out of one send (UDP GSO).
public struct PacketPlan {
  /// How many packets.
  public let count: Int
  /// All packets' bytes, of a frame that is all there.
  public var byteCount: Int { firstHeader + (count - 1) * nextHeader + scan.count }
  let headers: UnsafeRawPointer
  let scan: UnsafeRawBufferPointer
  /// Bytes of the first packet's headers.
  let firstHeader: Int
  /// Bytes of the others' headers.
  let nextHeader: Int
  /// Bytes of the first packet's part of the scan.
  let firstPayload: Int
  /// Bytes of the others' part of the scan (the last may have less).
  let nextPayload: Int

  /// A packet's headers and its part of the scan.
  @inline(__always)
  public subscript(_ index: Int) -> (header: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) {
    if index == 0 {
      return (
        UnsafeRawBufferPointer(start: headers, count: firstHeader),
        UnsafeRawBufferPointer(rebasing: scan[..<min(firstPayload, scan.count)])
      )
    }
    let start = firstPayload + (index - 1) * nextPayload
    return (
      UnsafeRawBufferPointer(
        start: headers + firstHeader + (index - 1) * nextHeader, count: nextHeader),
      UnsafeRawBufferPointer(rebasing: scan[start..<min(start + nextPayload, scan.count)])
    )
  }
}
