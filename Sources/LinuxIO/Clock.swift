import Glibc

/// The kernel's clocks, in nanoseconds.
public enum Clock {
  /// CLOCK_MONOTONIC: never steps; the clock of capture timestamps.
  @inline(__always)
  public static var monotonic: Int64 { read(CLOCK_MONOTONIC) }

  /// CLOCK_REALTIME: the wall clock, since 1970; it can step.
  public static var realtime: Int64 { read(CLOCK_REALTIME) }

  /// The wall clock's time of day in the local time zone.
  public static var timeOfDay: (hour: Int, minute: Int, second: Int, millisecond: Int) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var local = tm()
    localtime_r(&now.tv_sec, &local)
    return (Int(local.tm_hour), Int(local.tm_min), Int(local.tm_sec), now.tv_nsec / 1_000_000)
  }

  @inline(__always)
  private static func read(_ clock: clockid_t) -> Int64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }
}
