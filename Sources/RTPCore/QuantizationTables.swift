/// The two quantization tables of a picture, 8 bits, in zigzag order as DQT and RFC 2435 (3.1.8) have them.
public struct QuantizationTables: Equatable, Sendable {
  /// Bytes of both.
  public static let size = 128

  public var luma: SIMD64<UInt8>
  public var chroma: SIMD64<UInt8>

  public init(luma: SIMD64<UInt8>, chroma: SIMD64<UInt8>) {
    self.luma = luma
    self.chroma = chroma
  }

  /// Those that Q from 1 to 99 stands for (RFC 2435, 4.2 and Appendix A); nil for another Q.
  public init?(q: UInt8) {
    guard (1...99).contains(q) else { return nil }
    let factor = q < 50 ? 5000 / Int32(q) : 200 - Int32(q) * 2
    func scaled(_ table: SIMD64<UInt8>) -> SIMD64<UInt8> {
      let values = SIMD64<Int32>(truncatingIfNeeded: table)
      let result = (values &* factor &+ 50) / 100
      return SIMD64<UInt8>(truncatingIfNeeded: result.clamped(lowerBound: .one, upperBound: .init(repeating: 255)))
    }
    self.init(luma: scaled(Self.annexKLuma), chroma: scaled(Self.annexKChroma))
  }

  /// Writes `size` bytes.
  @inline(__always)
  func write(to memory: UnsafeMutableRawPointer) {
    memory.storeBytes(of: luma, as: SIMD64<UInt8>.self)
    memory.storeBytes(of: chroma, toByteOffset: 64, as: SIMD64<UInt8>.self)
  }

  // Table K.1 of ITU-T T.81, in zigzag order.
  private static let annexKLuma: SIMD64<UInt8> = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
    26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
    56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
  ]
  // Table K.2.
  private static let annexKChroma: SIMD64<UInt8> = [
    17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  ]
}
