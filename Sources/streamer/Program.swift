import LinuxIO

extension Program {
  /// Does what this program's arguments ask.
  /// - Returns: an exit status: 0 done or stopped by a signal, 2 bad usage or configuration, 1 anything else.
  static func run() -> Int32 {
    StandardStream.openClosed()
    do {
      let arguments = try Arguments(Self.words())
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

  private static func words() throws(UsageError) -> [String] {
    do throws(NotUTF8) { return try ProgramArguments.words() } catch {
      throw UsageError(
        "the argument \(error.quoted) is not valid UTF-8, as all arguments must be; if it names a file, rename that ('mv')"
      )
    }
  }
}
