import Glibc

/// A shared object that was loaded at run time, and stays: threads of it may run on.
public struct SharedLibrary: @unchecked Sendable {
  private let handle: UnsafeMutableRawPointer

  /// Loads it, and all that it needs.
  public init(opening path: String) throws(LoadError) {
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw LoadError(description: dlerror().map { String(cString: $0) } ?? "\(path): it can't be loaded")
    }
    self.handle = handle
  }

  /// The address of a symbol; nil where it has none of that name.
  public func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(handle, name) }

  /// Why it was not loaded, in the linker's words, which name the file.
  public struct LoadError: Error, CustomStringConvertible {
    public let description: String
    public init(description: String) { self.description = description }
  }
}
