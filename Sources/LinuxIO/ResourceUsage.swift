import CLinux
import Glibc

/// What a thread used so far (getrusage(2), RUSAGE_THREAD), or between two such instants.
public struct ResourceUsage: Equatable, Sendable {
  /// CPU time of its own and in the kernel, in nanoseconds.
  public var user: Int64 = 0
  public var system: Int64 = 0
  /// Context switches, those that it waited in and those that it was put aside for.
  public var voluntarySwitches: Int64 = 0
  public var involuntarySwitches: Int64 = 0
  /// Page faults, those without reading from a disk and those with.
  public var minorFaults: Int64 = 0
  public var majorFaults: Int64 = 0

  public init() {}

  /// Of the calling thread.
  public static var ofThisThread: ResourceUsage {
    var usage = rusage()
    getrusage(RUSAGE_THREAD, &usage)
    var result = ResourceUsage()
    result.user = usage.ru_utime.nanoseconds
    result.system = usage.ru_stime.nanoseconds
    result.voluntarySwitches = Int64(usage.ru_nvcsw)
    result.involuntarySwitches = Int64(usage.ru_nivcsw)
    result.minorFaults = Int64(usage.ru_minflt)
    result.majorFaults = Int64(usage.ru_majflt)
    return result
  }

  /// The most that was resident of this process, in kB (ru_maxrss).
  public static var peakResident: Int {
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  }

  public static func - (one: ResourceUsage, other: ResourceUsage) -> ResourceUsage {
    var result = one
    result.user -= other.user
    result.system -= other.system
    result.voluntarySwitches -= other.voluntarySwitches
    result.involuntarySwitches -= other.involuntarySwitches
    result.minorFaults -= other.minorFaults
    result.majorFaults -= other.majorFaults
    return result
  }
}

extension timeval {
  fileprivate var nanoseconds: Int64 { Int64(tv_sec) * 1_000_000_000 + Int64(tv_usec) * 1000 }
}
