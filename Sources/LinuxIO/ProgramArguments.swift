import CLinux
import Glibc

/// The words that this program was started with.
public enum ProgramArguments {
  /// Reads them, without the program's name.
  /// - Throws: `NotUTF8` for the first that is not valid UTF-8, which Swift's String cannot hold: another word would take its
  ///   place.
  public static func words() throws(NotUTF8) -> [String] {
    var words: [String] = []
    for index in 1..<max(1, clinux_argument_count()) {
      guard let bytes = clinux_argument(index) else { continue }
      guard let word = String(validatingCString: bytes) else {
        throw NotUTF8(UnsafeRawBufferPointer(start: bytes, count: strlen(bytes)))
      }
      words.append(word)
    }
    return words
  }
}

/// A word or a name of bytes that are not valid UTF-8.
public struct NotUTF8: Error, Equatable {
  /// The bytes as shells read them, such as `$'caf\xe9.jpg'`; see `String.init(shellQuoting:)`.
  public let quoted: String

  init(_ bytes: UnsafeRawBufferPointer) { quoted = String(shellQuoting: bytes) }
}
