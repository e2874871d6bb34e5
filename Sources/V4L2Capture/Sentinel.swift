/// The word that a buffer is overwritten with before a driver gets it: where it still stands, nothing has arrived.
public struct Sentinel: Sendable {
  let word: UInt64

  /// A word of eight different bytes, without 0 and 0xFF, of which JPEGs are full: drawn at random, so that no camera's
  /// data has it but by chance, 2^-64 a word. There it delays, and does no harm.
  public init() { word = (1...0xFE).shuffled().prefix(8).reduce(0) { $0 << 8 | $1 } }

  init(word: UInt64) { self.word = word }

  /// Overwrites all whole words of some memory.
  func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    let block = SIMD8(repeating: word)
    let blocks = bytes.count / 64
    for index in 0..<blocks { start.storeBytes(of: block, toByteOffset: index &* 64, as: SIMD8<UInt64>.self) }
    for index in (blocks &* 8)..<(bytes.count / 8) {
      start.storeBytes(of: word, toByteOffset: index &* 8, as: UInt64.self)
    }
  }
}
