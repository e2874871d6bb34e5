/// Whether all bits are 0. Swift's own `any` and `==` are chains of comparisons without SSE 4.1.
extension SIMD2<UInt64> {
  @inline(__always)
  var isZero: Bool { self[0] | self[1] == 0 }
}

extension SIMD8<UInt64> {
  @inline(__always)
  var isZero: Bool {
    let half = lowHalf | highHalf
    return (half.lowHalf | half.highHalf).isZero
  }
}
