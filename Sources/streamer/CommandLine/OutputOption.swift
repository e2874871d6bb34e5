import Glibc
import LinuxIO

/// An option that names what is written: its errors name it, and tell what to do.
enum OutputOption: String {
  case sdp, html, times, out
  case glassPage = "glass-page"

  /// Writes, or prepares to.
  func attempt<Result>(_ body: () throws(SystemCallError) -> Result) throws(Failure) -> Result {
    do throws(SystemCallError) { return try body() } catch { throw failure(error) }
  }

  func failure(_ error: SystemCallError) -> Failure {
    Failure("--\(rawValue): \(error.withRemedy(Self.remedy(error)))")
  }

  /// nil: the error's own.
  private static func remedy(_ error: SystemCallError) -> String? {
    switch error.errno.rawValue {
    // Such as /proc. A link may lead to a folder that is not there.
    case ENOENT where !File.isLink(error.subject) && File.kind(of: folder(of: error.subject)) == .directory:
      "its folder takes no new files: name another place"
    case ENOENT: "its folder is not there: 'mkdir' makes it"
    case EEXIST: "it is a file: name a folder"
    case ENOTDIR: "a part of the path is a file: name a folder there"
    case ENAMETOOLONG: "a name has at most 255 bytes, and a path 4095"
    case EISDIR: "it is a folder: name a file"
    case EACCES, EPERM: "this user must not write there: name another place"
    case EROFS: "it cannot be written to: name another place"
    default: nil
    }
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
  }
}
