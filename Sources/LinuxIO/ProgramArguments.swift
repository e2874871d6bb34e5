import CLinux

/// The words that this program was started with.
public enum ProgramArguments {
  /// Without the program's name.
  public static var words: [String] {
    let count = clinux_argument_count()
    return (1..<max(1, count)).compactMap { clinux_argument($0).map { String(cString: $0) } }
  }
}
