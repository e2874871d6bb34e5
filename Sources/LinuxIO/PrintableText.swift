/// Text out of bytes that a device, a driver or a file system gave. What a terminal or a log would take for more than text
/// (escape sequences, line ends, overrides of the direction) becomes U+FFFD there, as does what is no UTF-8.
extension String {
  /// Out of a field of a fixed size, up to its first zero.
  public init(field bytes: UnsafeRawBufferPointer) {
    self = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).printable
  }

  /// Bytes that need not be UTF-8, as bash and POSIX shells since 2024 read them: `$'caf\xe9.jpg'`. What is no printable
  /// ASCII is escaped.
  public init(shellQuoting bytes: UnsafeRawBufferPointer) {
    self = "$'"
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\\"): self += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F: self.unicodeScalars.append(UnicodeScalar(byte))
      default: self += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    self += "'"
  }

  /// On one line, safe to be shown.
  public var printable: String { replacingUnprintable { _ in false } }

  /// Safe to be shown; its line feeds stay.
  public var printableLines: String { replacingUnprintable { $0 == "\n" } }

  private func replacingUnprintable(but isKept: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: { !$0.isPrintable && !isKept($0) }) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      text.unicodeScalars.append(scalar.isPrintable || isKept(scalar) ? scalar : "\u{FFFD}")
    }
    return text
  }
}

extension Unicode.Scalar {
  /// It is shown, and only that: no control character of C0 or C1, no format character (overrides of the direction, marks
  /// without width), no separator of lines.
  public var isPrintable: Bool {
    // ASCII, without the tables.
    if value < 0x7F { return value >= 0x20 }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
    default: return true
    }
  }
}
