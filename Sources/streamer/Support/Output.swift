import LinuxIO

/// The program as a whole.
enum Program {}

extension Program {
  /// Prints a result on standard output.
  /// - Returns: status 0.
  /// - Throws: why it was not written, unless its reader is gone, who knows.
  @discardableResult
  static func print(_ text: String) throws(Failure) -> Int32 { try check(StandardStream.output.write(text)) }

  /// Prints a result on standard output, unless the program is to end, and nobody reads it.
  static func print(_ text: String, _ signals: inout Signals) throws(Failure) {
    try check(StandardStream.output.write(text) { signals.wait(toWrite: $0) })
  }

  @discardableResult
  private static func check(_ errno: Errno?) throws(Failure) -> Int32 {
    switch errno {
    case nil, .brokenPipe: return 0
    case .wouldBlock: throw Failure("standard output: nobody reads it: the result is lost")
    case let errno?: throw Failure("standard output: \(errno)")
    }
  }
}
