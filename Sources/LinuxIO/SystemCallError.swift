/// A system call that failed: what was tried on what, why it failed, and what to do about it.
public struct SystemCallError: Error, Equatable, CustomStringConvertible {
  /// The call, by its name in the manual, such as `VIDIOC_S_FMT`.
  public let call: String
  /// What it was tried on: a path, an address.
  public let subject: String
  public let errno: Errno
  /// What the user can do about it, where that is known.
  public let remedy: String?

  public init(_ call: String, on subject: String, _ errno: Errno, remedy: String? = nil) {
    self.call = call
    self.subject = subject
    self.errno = errno
    self.remedy = remedy
  }

  /// The same failure with what the caller knows of its remedy.
  public func withRemedy(_ remedy: String?) -> SystemCallError {
    SystemCallError(call, on: subject, errno, remedy: remedy ?? self.remedy)
  }

  public var description: String {
    "\(call) on \(subject): \(errno)" + (remedy.map { "; \($0)" } ?? "")
  }
}

/// Calls `body` again while a signal interrupts it (EINTR), and gives its result, or the error of a negative one.
@inline(__always)
func retrying<Result: BinaryInteger>(_ body: () -> Result) -> (result: Result, errno: Errno?) {
  while true {
    let result = body()
    if result >= 0 { return (result, nil) }
    let errno = Errno.last
    if errno != .interrupted { return (result, errno) }
  }
}

/// As `retrying`, but throws what failed.
@inline(__always) @discardableResult
func checked<Result: BinaryInteger>(
  _ call: @autoclosure () -> String, on subject: @autoclosure () -> String, _ body: () -> Result
) throws(SystemCallError) -> Result {
  let (result, errno) = retrying(body)
  if let errno { throw SystemCallError(call(), on: subject(), errno) }
  return result
}
