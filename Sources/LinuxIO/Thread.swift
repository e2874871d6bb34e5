import CLinux
import Glibc

/// A thread of the kernel's. Has one owner, who joins it.
public struct Thread: ~Copyable {
  private let handle: pthread_t

  /// Starts a thread.
  /// - Parameter name: what `top -H` shows; cut at 15 bytes, as the kernel has it.
  public init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
    let box = Unmanaged.passRetained(Body(body))
    var handle = pthread_t()
    let status = pthread_create(&handle, nil, runThread, box.toOpaque())
    guard status == 0 else {
      box.release()
      throw SystemCallError("pthread_create", on: name, Errno(rawValue: status))
    }
    pthread_setname_np(handle, String(decoding: name.utf8.prefix(15), as: UTF8.self))
    self.handle = handle
  }

  /// Waits for its end.
  public consuming func join() { pthread_join(handle, nil) }

  /// Binds the calling thread to one CPU.
  /// - Returns: nil where it is bound; else why not (EINVAL: there is no such CPU, or this process may not
  ///   use it).
  public static func pin(toCPU cpu: Int) -> Errno? {
    let status = clinux_pin_this_thread(Int32(clamping: cpu))
    return status == 0 ? nil : Errno(rawValue: status)
  }
}

private final class Body {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThread(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let box { Unmanaged<Body>.fromOpaque(box).takeRetainedValue().run() }
  return nil
}
