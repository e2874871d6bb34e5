extension UInt32 {
  /// An SSRC as it is printed everywhere: 0x and 8 hexadecimal digits.
  var ssrcText: String {
    let digits = String(self, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}
