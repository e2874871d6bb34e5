/// The quantization tables that Q stands for. Those of 1 to 99 are computed (RFC 2435, 4.2), which takes longer than a
/// packet may: each once. Those of 128 to 254 came with a frame, and a sender need not repeat them.
struct TableCache {
  private var computed = [QuantizationTables?](repeating: nil, count: 100)
  var received: [UInt8: QuantizationTables] = [:]
  /// How many were computed.
  private(set) var computations = 0

  /// A frame's tables: its own, or those of its Q.
  mutating func tables(_ own: QuantizationTables?, q: UInt8) -> QuantizationTables? {
    switch q {
    case 1...99: return computedTables(q)
    case 128...254:
      if let own { received[q] = own }
      return own ?? received[q]
    default: return own
    }
  }

  private mutating func computedTables(_ q: UInt8) -> QuantizationTables? {
    if computed[Int(q)] == nil {
      computed[Int(q)] = QuantizationTables(q: q)
      computations += 1
    }
    return computed[Int(q)]
  }
}
