/// Reads JSON (RFC 8259), such as an earlier result.
struct JSONReader {
  private var bytes: ArraySlice<UInt8>
  private var depth = 0

  private init(_ text: String) { bytes = Array(text.utf8)[...] }

  /// - Returns: nil where the text is no JSON.
  static func read(_ text: String) -> JSON? {
    var reader = JSONReader(text)
    guard let value = reader.value() else { return nil }
    reader.skipSpace()
    return reader.bytes.isEmpty ? value : nil
  }

  private mutating func value() -> JSON? {
    skipSpace()
    guard depth < 64, let first = bytes.first else { return nil }
    depth += 1
    defer { depth -= 1 }
    switch first {
    case UInt8(ascii: "{"): return object()
    case UInt8(ascii: "["): return array()
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    default: return number()
    }
  }

  private mutating func object() -> JSON? {
    var members: [(String, JSON)] = []
    let isWhole = list(from: "{", to: "}") { reader in
      reader.skipSpace()
      guard let key = reader.string() else { return false }
      reader.skipSpace()
      guard reader.take(":"), let value = reader.value() else { return false }
      members.append((key, value))
      return true
    }
    return isWhole ? .object(members) : nil
  }

  private mutating func array() -> JSON? {
    var values: [JSON] = []
    let isWhole = list(from: "[", to: "]") { reader in
      guard let value = reader.value() else { return false }
      values.append(value)
      return true
    }
    return isWhole ? .array(values) : nil
  }

  private mutating func list(from start: String, to end: String, _ element: (inout JSONReader) -> Bool) -> Bool {
    guard take(start) else { return false }
    skipSpace()
    if take(end) { return true }
    while element(&self) {
      skipSpace()
      if take(end) { return true }
      guard take(",") else { return false }
    }
    return false
  }

  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var text: [UInt8] = []
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let escaped = escape() else { return nil }
        text += Array(escaped.utf8)
      case 0..<0x20: return nil
      default: text.append(byte)
      }
    }
    return nil
  }

  private mutating func escape() -> String? {
    switch bytes.popFirst().map({ Character(Unicode.Scalar($0)) }) {
    case "n": return "\n"
    case "t": return "\t"
    case "r": return "\r"
    case "b": return "\u{8}"
    case "f": return "\u{c}"
    case "u":
      let digits = bytes.prefix(4)
      bytes = bytes.dropFirst(4)
      guard digits.count == 4, let code = UInt32(String(decoding: Array(digits), as: UTF8.self), radix: 16) else {
        return nil
      }
      // Halves of pairs are told as what they are: unreadable.
      return String(Unicode.Scalar(code).map(Character.init) ?? "\u{FFFD}")
    case let other?: return "\"\\/".contains(other) ? String(other) : nil
    case nil: return nil
    }
  }

  private mutating func number() -> JSON? {
    let text = bytes.prefix { "+-.eE0123456789".utf8.contains($0) }
    bytes = bytes.dropFirst(text.count)
    let digits = String(decoding: Array(text), as: UTF8.self)
    if let whole = UInt64(digits) { return .integer(whole) }
    return Double(digits).map { .number($0) }
  }

  private mutating func take(_ text: String) -> Bool {
    guard bytes.starts(with: text.utf8) else { return false }
    bytes = bytes.dropFirst(text.utf8.count)
    return true
  }

  private mutating func skipSpace() { bytes = bytes.drop { [0x20, 0x0A, 0x0D, 0x09].contains($0) } }
}
