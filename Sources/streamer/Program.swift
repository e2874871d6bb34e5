import LinuxIO

/// From the command line to an exit status: 0 done or stopped by a signal, 2 bad usage or configuration, 1 anything
/// else.
enum Program {
  static func run(_ words: [String]) -> Int32 {
    do {
      let arguments = try Arguments(words)
      if arguments.has("help") {
        StandardStream.output.line(Help.text(for: arguments.verb))
        return 0
      }
      if arguments.has("version") {
        StandardStream.output.line("streamer \(version)")
        return 0
      }
      switch arguments.verb {
      case .stream: return try StreamCommand(StreamOptions(arguments)).run()
      case .list: return try ListCommand(arguments).run()
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
