/// Why a packet is no part of a picture.
public enum PayloadFault: Error, Equatable, Sendable {
  /// No RTP packet of version 2, or one that is cut short.
  case noRTP
  /// It ends before its headers do.
  case tooShort
  /// A type other than 0, 1, 64 and 65, which are all that RFC 2435 defines.
  case type(UInt8)
  /// Q is 0, or 100 to 127: reserved (RFC 2435, 4.2).
  case reservedQ(UInt8)
  /// Quantization tables of 16 bits (RFC 2435, 3.1.8): a bit for each table. They are valid, and not supported.
  case tablePrecision(UInt8)
  /// Quantization tables of so many bytes, which are less than one table, or more than the packet has.
  case tableLength(Int)
  /// Q is 255, and no quantization tables are there (RFC 2435, 4.2).
  case noTables
  /// There is nothing after the headers.
  case noScan
}
