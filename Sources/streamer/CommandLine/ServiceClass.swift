/// The names of DSCP's classes (RFC 2474, 2597, 3246, 5865, 8622).
enum ServiceClass {
  /// - Returns: 0 to 63; nil where it is none.
  static func number(_ text: String) -> Int? {
    if let number = Int(text) { return (0...63).contains(number) ? number : nil }
    let name = text.uppercased()
    if let known = ["EF": 46, "VA": 44, "LE": 1, "BE": 0, "DF": 0][name] { return known }
    let digits = name.dropFirst(2).compactMap(\.wholeNumberValue)
    guard name.count == 2 + digits.count else { return nil }
    if name.hasPrefix("CS"), digits.count == 1, digits[0] < 8 { return digits[0] * 8 }
    if name.hasPrefix("AF"), digits.count == 2, (1...4).contains(digits[0]), (1...3).contains(digits[1]) {
      return digits[0] * 8 + digits[1] * 2
    }
    return nil
  }
}
