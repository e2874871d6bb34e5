import Glibc

/// The machine that this program runs on (uname(2)).
public enum Host {
  /// Its name in the network, with `?` for each byte that is no printable ASCII character.
  public static var name: String {
    var names = utsname()
    guard uname(&names) == 0 else { return "?" }
    return withUnsafeBytes(of: names.nodename) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }.map { (0x21...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self)
    }
  }
}
