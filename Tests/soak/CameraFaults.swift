import CLinux
import CScriptedDriver
import Glibc
import ScriptedDriver
import Synchronization

/// What a scripted camera's driver does wrong: set by the main thread, met by the camera thread's ioctls.
final class CameraFaults: Sendable {
  /// What ends a stall.
  enum Cure: CaseIterable { case time, restart, reopen, reset }

  fileprivate struct State {
    var random: SeededRandom
    /// Requests that fail.
    var failing: [UInt: Int32] = [:]
    /// What VIDIOC_S_FMT sets in place of what was asked for.
    var otherFormat: (name: String, width: UInt32, height: UInt32)?
    var stall: Cure?
    var wasReset = false
    /// One frame in so many has a wrong number, buffer or clock.
    var frameFaultRate = 40
    /// What was added to the driver's frame numbers.
    var skipped: UInt32 = 0
    var counts: [String: Int] = [:]
  }

  private let state: Mutex<State>

  init(seed: UInt64) { state = Mutex(State(random: SeededRandom(seed: seed))) }

  /// How many faults there were, by their names.
  var counts: [String: Int] { state.withLock { $0.counts } }

  func fail(_ requests: [UInt: Int32]) { state.withLock { $0.failing = requests } }

  func setOtherFormat(_ name: String, _ width: UInt32, _ height: UInt32) {
    state.withLock { $0.otherFormat = (name, width, height) }
  }

  func stall(until cure: Cure) { state.withLock { $0.stall = cure } }

  func endStall() { state.withLock { $0.stall = nil } }

  var isStalled: Bool { state.withLock { $0.stall != nil } }

  /// All works again, except for a stall that something else ends.
  func end() {
    state.withLock { state in
      state.failing = [:]
      state.otherFormat = nil
      if state.stall == .time { state.stall = nil }
    }
  }

  /// Whether its USB device was reset since the last call.
  func takeReset() -> Bool {
    state.withLock { state in
      defer { state.wasReset = false }
      return state.wasReset
    }
  }

  /// See `ScriptedDriver.Script`.
  func answer(
    _ driver: ScriptedDriver, _ request: UInt, _ argument: UnsafeMutableRawPointer, _ answer: () -> Int32
  ) -> Int32 {
    let error = state.withLock { state -> Int32? in
      state.meet(request)
      if request == SCRIPTED_USB_RESET { return 0 }
      return state.failing[request]
    }
    if let error { return error }
    let result = answer()
    guard result == 0 else { return result }
    if request == SCRIPTED_DQBUF {
      state.withLock { $0.distort(&argument.assumingMemoryBound(to: v4l2_buffer.self).pointee) }
    }
    if request == SCRIPTED_S_FMT, let other = state.withLock({ $0.otherFormat }) {
      driver.fill(argument, other.name, other.width, other.height)
    }
    return 0
  }
}

extension CameraFaults.State {
  private mutating func count(_ name: String) { counts[name, default: 0] += 1 }

  /// Counts a request that fails, and ends a stall that it cures.
  fileprivate mutating func meet(_ request: UInt) {
    if failing[request] != nil { count("failed requests") }
    switch (request, stall) {
    case (SCRIPTED_STREAMOFF, .restart), (SCRIPTED_REQBUFS, .reopen): stall = nil
    case (SCRIPTED_USB_RESET, _):
      count("USB resets")
      (stall, wasReset) = (nil, true)
    default: break
    }
  }

  fileprivate mutating func distort(_ buffer: inout v4l2_buffer) {
    defer { buffer.sequence &+= skipped }
    guard random.isOne(in: frameFaultRate) else { return }
    let time = timeval(tv_sec: buffer.timestamp.tv_sec, tv_usec: buffer.timestamp.tv_usec)
    switch Int.random(in: 0..<8, using: &random) {
    case 0:
      count("gaps in frame numbers")
      skipped &+= UInt32.random(in: 1...100, using: &random)
    case 1:
      count("frame numbers that go back")
      skipped &-= UInt32.random(in: 1...100, using: &random)
    case 2:
      count("timestamps that go back")
      buffer.timestamp.tv_sec = max(0, time.tv_sec - Int.random(in: 1...100, using: &random))
    case 3:
      count("timestamps of zero")
      buffer.timestamp = timeval()
    case 4:
      count("timestamps of the future")
      buffer.timestamp.tv_sec += random.pick([1, 1000, Int.max / 2])
    case 5:
      count("timestamps of no known clock")
      buffer.flags &= ~UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK)
    case 6:
      guard random.isOne(in: 4) else { return }
      count("buffers that do not exist")
      buffer.index = random.pick([32, 4711, .max])
    default:
      count("empty frames")
      buffer.bytesused = 0
    }
  }
}
