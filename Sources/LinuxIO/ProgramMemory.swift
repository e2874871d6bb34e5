import CLinux

/// The memory of the program itself.
public enum ProgramMemory {
  /// Has the kernel map only those pages of the program and its libraries that are used. It maps 64 kB around each page
  /// otherwise, of which a program of a few hot functions uses little. They are read ahead all the same.
  public static func trim() { clinux_trim_mappings() }
}
