import LinuxIO
import Testing

/// What a device calls itself is shown as text, and as nothing else.
@Suite struct PrintableTextTests {
  static let bad: [(String, String)] = [
    ("\u{1B}[31mred\u{1B}[0m", "\u{FFFD}[31mred\u{FFFD}[0m"), ("two\nlines\r", "two\u{FFFD}lines\u{FFFD}"),
    ("\u{9B}2J", "\u{FFFD}2J"), ("\u{7F}\u{8}", "\u{FFFD}\u{FFFD}"), ("a\u{202E}gpj", "a\u{FFFD}gpj"),
    ("\u{2066}x\u{2069}\u{200F}", "\u{FFFD}x\u{FFFD}\u{FFFD}"), ("\u{2028}\u{2029}\u{85}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
    ("\u{FEFF}\u{200B}\u{E0041}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
  ]

  @Test(arguments: bad) func isReplaced(text: String, shown: String) {
    #expect(text.printable == shown)
    #expect(text.printableLines.unicodeScalars.allSatisfy { $0.isPrintable || $0 == "\n" })
  }

  @Test func textIsLeftAsItIs() {
    for text in ["", "HD Webcam C270 (uvcvideo)", "Caméra é", "摄像头 📷", " ~"] { #expect(text.printable == text) }
    #expect("one\n  two".printableLines == "one\n  two")
    #expect("one\r\n\ttwo".printableLines == "one\u{FFFD}\n\u{FFFD}two")
  }

  @Test func bytesAsShellsReadThem() {
    func quoted(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { String(shellQuoting: $0) } }
    #expect(quoted(Array("caf".utf8) + [0xE9] + Array(".jpg".utf8)) == #"$'caf\xe9.jpg'"#)
    #expect(quoted(Array("it's\\\n\u{7F}é".utf8)) == #"$'it\'s\\\x0a\x7f\xc3\xa9'"#)
    #expect(quoted([]) == "$''")
  }

  /// A field of a fixed size, which need not end with a zero, nor be UTF-8.
  @Test func fields() {
    func text(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { String(field: $0) } }
    #expect(text([0x41, 0x42]) == "AB")
    #expect(text([0x41, 0, 0x42]) == "A")
    #expect(text([0x41, 0xFF, 0x42, 0xC3]) == "A\u{FFFD}B\u{FFFD}")
    #expect(text([]) == "")
  }
}
