import CLinux
import Glibc
import Synchronization

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

  private static let firstCode: Int32 = 1000

  /// getopt keeps its place in global variables: one at a time.
  private static let turn = Mutex(())

  /// Reads `arguments` (without the program's name).
  public static func read(_ arguments: [String], options: [Option]) throws(Failure) -> Result {
    try turn.withLock { (_: inout Void) throws(Failure) -> Result in try parse(arguments, options) }
  }

  private static func parse(_ arguments: [String], _ options: [Option]) throws(Failure) -> Result {
    let names = options.map { strdup($0.name) }
    let words = (["streamer"] + arguments).map { strdup($0) }
    defer { (names + words).forEach { free($0) } }
    // Two options of one value would not be ambiguous when cut short; no character has these values.
    var table = zip(options, names).enumerated().map { index, entry in
      CLinux.option(name: entry.1, has_arg: entry.0.takesValue ? 1 : 0, flag: nil, val: Self.firstCode + Int32(index))
    }
    table.append(CLinux.option())
    // getopt puts its words in another order; `words` keeps every pointer for free().
    let order = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
    defer { order.deallocate() }
    order.initialize(repeating: nil, count: words.count + 1)
    for (index, word) in words.enumerated() { order[index] = word }
    var result = Result()
    clinux_getopt_reset()
    while true {
      var index: Int32 = 0
      // ":" tells a missing value from an unknown option.
      let code = getopt_long(Int32(words.count), order, ":", table, &index)
      if code == -1 { break }
      let word = order[max(0, min(Int(clinux_optind()) - 1, words.count - 1))].map { String(cString: $0) } ?? ""
      let letter = UInt8(exactly: clinux_optopt()).flatMap { $0 > 32 ? "-" + String(UnicodeScalar($0)) : nil }
      let name = letter ?? String(word.prefix { $0 != "=" })
      switch code {
      case Self.firstCode...:
        let value = clinux_optarg().map { String(cString: $0) } ?? ""
        result.options.append((options[Int(code - Self.firstCode)].name, value))
      case Int32(UInt8(ascii: ":")): throw .missingValue(name)
      default:
        let known = options.contains { $0.name == name.drop { $0 == "-" } && !$0.takesValue }
        throw known ? .unexpectedValue(name) : .unknown(name)
      }
    }
    result.operands = (Int(clinux_optind())..<words.count).compactMap { order[$0].map { String(cString: $0) } }
    return result
  }
}
