/// Writes bytes into memory, never past its end: what does not fit is left out, and `isFull` says so.
struct ByteWriter {
  private let memory: UnsafeMutableRawBufferPointer
  /// Bytes written.
  private(set) var count = 0
  private(set) var isFull = false

  init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

  /// An integer, its highest byte first.
  mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    guard let offset = reserve(MemoryLayout<Value>.size) else { return }
    memory.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
  }

  mutating func put(_ bytes: UnsafeRawBufferPointer) {
    guard let offset = reserve(bytes.count) else { return }
    UnsafeMutableRawBufferPointer(rebasing: memory[offset..<count]).copyMemory(from: bytes)
  }

  private mutating func reserve(_ size: Int) -> Int? {
    guard size <= memory.count - count else {
      isFull = true
      return nil
    }
    defer { count += size }
    return count
  }
}
