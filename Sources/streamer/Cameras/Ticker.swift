import LinuxIO
import V4L2Capture

/// The beat of a camera that has no hardware: a timer that knows the number and the time of each beat, and whose fault it is
/// when beats are missed.
struct Ticker: ~Copyable {
  private let timer: Timer
  private let start: Int64
  private let interval: Int64
  private let state: UnsafeMutablePointer<State>

  private struct State {
    var count: UInt64 = 0
    /// How long the thread that asks had run when it asked last: nanoseconds.
    var spent: Int64?
    var workedThrough: UInt64 = 0
  }

  init(_ rate: FrameRate) throws {
    let timer = try Timer()
    let interval = max(1, rate.interval)
    let start = Clock.monotonic + interval
    try timer.start(first: start, every: interval)
    self.timer = timer
    self.interval = interval
    self.start = start
    state = .allocate(capacity: 1)
    state.initialize(to: State())
  }

  deinit { state.deallocate() }

  /// For epoll.
  var fileDescriptor: Int32 { timer.number }

  /// How many of the beats that were missed before the last one the thread itself can have been too slow for: an interval
  /// of its CPU time each. For the others it was not let run in time.
  var workedThrough: UInt64 { state.pointee.workedThrough }

  /// The newest beat since the last call, numbered from 0, with its time (CLOCK_MONOTONIC, nanoseconds); nil
  /// where there was none.
  func next() -> (index: UInt64, time: Int64)? {
    let beats = timer.expirations()
    guard beats > 0 else { return nil }
    let now = Clock.thread
    state.pointee.count &+= beats
    state.pointee.workedThrough = UInt64(max(0, now - (state.pointee.spent ?? now)) / interval)
    state.pointee.spent = now
    let index = state.pointee.count - 1
    return (index, start &+ Int64(clamping: index) &* interval)
  }
}
