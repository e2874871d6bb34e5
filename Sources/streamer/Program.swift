import LinuxIO

/// From the command line to an exit status: 0 done or stopped by a signal, 2 bad usage or configuration, 1 anything
/// else.
enum Program {
  static func run(_ words: [String]) -> Int32 {
    StandardStream.openClosed()
    do {
      let arguments = try Arguments(words)
      if arguments.has("help") { return try print(Help.text(for: arguments.verb) + "\n") }
      if arguments.has("version") { return try print("streamer \(version)\n") }
      switch arguments.verb {
      case .stream: return try StreamCommand(StreamOptions(arguments)).run()
      case .list: return try ListCommand(arguments).run()
      case .bench where arguments.has("glass-page"): return try GlassPage(arguments).run()
      case .bench: return try BenchCommand(BenchOptions(arguments)).run()
      case .receive: return try ReceiveCommand(ReceiveOptions(arguments)).run()
      case .sdp: return try SDPCommand(StreamOptions(arguments)).run()
      }
    } catch let error as UsageError {
      Log().error(error.description)
      return 2
    } catch {
      Log().error("\(error)")
      return 1
    }
  }
}

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

/// What the user asked for can't be: the message names the option or the word.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Why something that was rightly asked for did not work.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
