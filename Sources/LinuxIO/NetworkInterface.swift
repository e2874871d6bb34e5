import Glibc

/// Network interfaces of this machine. One that is removed and made again keeps its name, and gets another index.
public enum NetworkInterface {
  /// - Returns: nil where there is none of this name.
  public static func index(of name: String) -> UInt32? {
    let index = if_nametoindex(name)
    return index == 0 ? nil : index
  }

  /// - Returns: nil where there is none of this index.
  public static func name(of index: UInt32) -> String? {
    var text = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
    guard if_indextoname(index, &text) != nil else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Whether an interface can have this name (dev_valid_name() in Linux).
  public static func isName(_ text: String) -> Bool {
    (1..<Int(IF_NAMESIZE)).contains(text.utf8.count) && text != "." && text != ".."
      && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
  }
}
