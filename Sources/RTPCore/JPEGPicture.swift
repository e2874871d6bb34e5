/// A camera's frame as it is sent: its header, and its scan where it lies.
public struct JPEGPicture {
  public let header: JPEGHeader
  /// From after SOS to the end of EOI; without EOI where that is missing, or where other segments come before it: every
  /// receiver puts one there.
  public let scan: UnsafeRawBufferPointer
  /// Its end is missing: the scan is what there is of it.
  public let isRepaired: Bool
  /// Bytes of the camera's frame that come before it, and are no part of it.
  public let skipped: Int
  /// It is one field of an interlaced frame, whose other field is not in it.
  public let isField: Bool

  /// - Parameters:
  ///   - skipped: where the header does not tell it.
  ///   - isField: likewise.
  public init(
    header: JPEGHeader, scan: UnsafeRawBufferPointer, isRepaired: Bool, skipped: Int? = nil, isField: Bool? = nil
  ) {
    self.header = header
    self.scan = scan
    self.isRepaired = isRepaired
    self.skipped = skipped ?? header.start
    self.isField = isField ?? header.isField
  }
}
