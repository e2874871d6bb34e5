/// The one way in which bytes from a camera or a network are read: every access is checked, none traps.
public struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  /// Where the next read begins.
  public private(set) var offset: Int

  public init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = min(max(0, offset), bytes.count)
  }

  /// The bytes that are left.
  public var remaining: Int { bytes.count - offset }

  /// One byte; nil past the end.
  @inline(__always)
  public mutating func byte() -> UInt8? {
    guard offset < bytes.count else { return nil }
    defer { offset += 1 }
    return bytes[offset]
  }

  /// Two bytes, the high one first.
  @inline(__always)
  public mutating func word() -> UInt16? { integer() }

  /// Four bytes, the highest first.
  @inline(__always)
  public mutating func doubleWord() -> UInt32? { integer() }

  /// The next `count` bytes as a reader of their own; nil where there are not so many.
  @inline(__always)
  public mutating func take(_ count: Int) -> ByteReader? {
    guard let range = range(count) else { return nil }
    return ByteReader(UnsafeRawBufferPointer(rebasing: bytes[range]))
  }

  /// The next 64 bytes; nil where there are not so many.
  @inline(__always)
  public mutating func table() -> SIMD64<UInt8>? {
    range(64).map { bytes.loadUnaligned(fromByteOffset: $0.lowerBound, as: SIMD64<UInt8>.self) }
  }

  /// All that is left, where it lies.
  public var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[offset...]) }

  @inline(__always)
  private mutating func range(_ count: Int) -> Range<Int>? {
    guard count >= 0, count <= remaining else { return nil }
    defer { offset += count }
    return offset..<offset + count
  }

  @inline(__always)
  private mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>() -> Value? {
    range(MemoryLayout<Value>.size).map {
      Value(bigEndian: bytes.loadUnaligned(fromByteOffset: $0.lowerBound, as: Value.self))
    }
  }
}
