import CLinux
import Glibc

/// The command line, read by glibc's getopt_long: options and operands in any order, `--name=value`, `--` ends
/// the options, names may be cut short where they stay unique.
public enum OptionReader {
  /// What an option looks like.
  public struct Option: Sendable {
    public let name: String
    public let takesValue: Bool
    public init(name: String, takesValue: Bool) {
      self.name = name
      self.takesValue = takesValue
    }
  }

  /// What was found.
  public struct Result: Sendable {
    /// The options in their order, with an empty value where none belongs to it.
    public var options: [(name: String, value: String)] = []
    public var operands: [String] = []
  }

  /// What could not be read.
  public enum Failure: Error, Equatable {
    case unknown(String)
    case missingValue(String)
    case unexpectedValue(String)
  }

  /// Reads `arguments` (without the program's name). For the main thread only, before others start.
  public static func read(_ arguments: [String], options: [Option]) throws(Failure) -> Result {
    let names = options.map { strdup($0.name) }
    let words = (["streamer"] + arguments).map { strdup($0) }
    defer { (names + words).forEach { free($0) } }
    let table =
      zip(options, names).map { option, name in
        CLinux.option(name: name, has_arg: option.takesValue ? 1 : 0, flag: nil, val: 0)
      } + [CLinux.option()]
    // getopt puts its words in another order; `words` keeps every pointer for free().
    let order = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
    defer { order.deallocate() }
    for (index, word) in (words + [nil]).enumerated() { (order + index).initialize(to: word) }
    var result = Result()
    clinux_getopt_reset()
    while true {
      var index: Int32 = 0
      // ":" tells a missing value from an unknown option.
      let code = getopt_long(Int32(words.count), order, ":", table, &index)
      if code == -1 { break }
      let word = order[max(0, min(Int(clinux_optind()) - 1, words.count - 1))].map { String(cString: $0) } ?? ""
      let name = String(word.prefix { $0 != "=" })
      switch UInt8(truncatingIfNeeded: code) {
      case 0:
        let value = clinux_optarg().map { String(cString: $0) } ?? ""
        result.options.append((options[Int(index)].name, value))
      case UInt8(ascii: ":"): throw .missingValue(name)
      default:
        let known = options.contains { $0.name == name.drop { $0 == "-" } && !$0.takesValue }
        throw known ? .unexpectedValue(name) : .unknown(name)
      }
    }
    result.operands = (Int(clinux_optind())..<words.count).compactMap { order[$0].map { String(cString: $0) } }
    return result
  }
}
