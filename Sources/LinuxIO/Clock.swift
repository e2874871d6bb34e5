import Glibc

/// The kernel's clocks, in nanoseconds.
public enum Clock {
  /// CLOCK_MONOTONIC: never steps; the clock of capture timestamps.
  @inline(__always)
  public static var monotonic: Int64 { read(CLOCK_MONOTONIC) }

  /// CLOCK_BOOTTIME: goes on while the machine is suspended.
  public static var boot: Int64 { read(CLOCK_BOOTTIME) }

  /// CLOCK_REALTIME: the wall clock, since 1970; it can step.
  public static var realtime: Int64 { read(CLOCK_REALTIME) }

  /// CLOCK_THREAD_CPUTIME_ID: how long the calling thread has run so far.
  public static var thread: Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

  /// Both at one instant. The wall clock is read between two readings of the other, whose middle counts; of three
  /// tries the quickest is the one that nothing came between.
  public static var pair: (monotonic: Int64, realtime: Int64) {
    var best = (monotonic: Int64(0), realtime: Int64(0))
    var shortest = Int64.max
    for _ in 0..<3 {
      let before = monotonic
      let wall = realtime
      let taken = monotonic - before
      guard taken < shortest else { continue }
      shortest = taken
      best = (before + taken / 2, wall)
    }
    return best
  }

  /// Has the calling thread sleep; a signal may end it sooner.
  public static func sleep(nanoseconds: Int64) {
    var time = timespec(nanoseconds: nanoseconds)
    nanosleep(&time, nil)
  }

  /// The time of day in the local time zone.
  /// - Parameter instant: nanoseconds since 1970.
  public static func timeOfDay(at instant: Int64) -> (hour: Int, minute: Int, second: Int, millisecond: Int) {
    var second = time_t(instant / 1_000_000_000)
    var local = tm()
    localtime_r(&second, &local)
    return (Int(local.tm_hour), Int(local.tm_min), Int(local.tm_sec), Int(instant / 1_000_000 % 1000))
  }

  /// The date and the time of day in UTC, such as `2026-11-29T06:24:45Z` (RFC 3339).
  /// - Parameter instant: nanoseconds since 1970.
  public static func date(at instant: Int64) -> String {
    var second = time_t(instant / 1_000_000_000)
    var utc = tm()
    gmtime_r(&second, &utc)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(utc.tm_year + 1900)-\(two(utc.tm_mon + 1))-\(two(utc.tm_mday))"
      + "T\(two(utc.tm_hour)):\(two(utc.tm_min)):\(two(utc.tm_sec))Z"
  }

  @inline(__always)
  private static func read(_ clock: clockid_t) -> Int64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }
}
