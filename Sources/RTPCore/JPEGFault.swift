/// Why a camera's frame can't be sent.
public enum JPEGFault: Error, Equatable, Sendable {
  /// It has no bytes.
  case empty
  /// It does not begin with SOI.
  case noSOI
  /// Its header ends with EOI, without SOS.
  case noSOS
  /// One of its header's segments (SOF, SOS, DHT, DQT, DRI) is malformed, or its frame header is missing or comes twice.
  case malformedHeader
  /// It ends before its header does.
  case truncated
  /// No EOI ends its scan, or its scan has far fewer bytes than its picture needs: the frame was cut short.
  case noEOI
  /// A marker that has no place in its scan interrupts it: decoders lose the rest, however little that is.
  case interruptedScan
  /// Its scan has over 16 MiB (RFC 2435's fragment offset has 24 bits), or more packets than were planned for.
  case tooLarge
  /// RFC 2435 can't carry it.
  case unsupported(Unsupported)

  /// What RFC 2435 can't carry, or what this version does not send.
  public enum Unsupported: Equatable, Sendable {
    /// Not SOF0: progressive, lossless, arithmetic, hierarchical, or extended.
    case coding
    /// Not 8 bits a sample.
    case precision
    /// Not three components, as greyscale.
    case components
    /// Neither 4:2:2 (2x1,1x1,1x1) nor 4:2:0 (2x2,1x1,1x1).
    case sampling
    /// Huffman tables that are not Annex K's.
    case huffman
    /// Other than one, two, or three quantization tables of which the last two are equal, or values over 255.
    case tables
    /// Components in scans of their own, or in another order in the scan than in the frame header.
    case scans
    /// Red, green and blue: receivers take all pictures for YCbCr.
    case colours
    /// Two fields in one frame.
    case fields
    /// A height of 0 in the frame header.
    case height
  }
}
