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
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, Self.stackSize)
    let status = pthread_create(&handle, &attributes, runThread, box.toOpaque())
    guard status == 0 else {
      box.release()
      throw SystemCallError("pthread_create", on: name, Errno(rawValue: status))
    }
    pthread_setname_np(handle, String(decoding: name.utf8.prefix(15), as: UTF8.self))
    self.handle = handle
  }

  /// Bytes. Of the usual 8 MB the kernel may make a huge page of 2 MB resident at the first touch.
  private static let stackSize = 1 << 19

  /// Waits for its end.
  public consuming func join() { pthread_join(handle, nil) }

  /// Has the calling thread run before all that are not real-time (SCHED_FIFO), and its timers on time.
  /// - Parameter priority: 1 to 99.
  /// - Returns: nil where it does; else why not (EPERM: it needs CAP_SYS_NICE, or RLIMIT_RTPRIO).
  public static func setRealtime(priority: Int) -> Errno? {
    var parameters = sched_param()
    parameters.sched_priority = Int32(clamping: priority)
    let status = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
    _ = clinux_set_timer_slack(1)
    return status == 0 ? nil : Errno(rawValue: status)
  }

  /// Keeps this process's memory from being paged out, from its first use on (MCL_ONFAULT: unused parts of stacks stay
  /// unused).
  /// - Returns: nil where it is; else why not (EPERM or ENOMEM: it needs CAP_IPC_LOCK, or RLIMIT_MEMLOCK).
  public static func lockMemory() -> Errno? {
    retrying { mlockall(MCL_CURRENT | MCL_FUTURE | Int32(MCL_ONFAULT)) }.errno
  }

  /// How many CPUs this machine has; some may be off, or not for this process.
  public static var cpuCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_CONF)))) }

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
