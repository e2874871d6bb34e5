/// When a camera is opened, restarted, waited for and given up: a state machine without any device or clock.
///
/// Its owner reports what happened and when (CLOCK_MONOTONIC, nanoseconds), and does what the answer says. An event that
/// means nothing in a state changes nothing.
struct CameraLifecycle: Equatable, Sendable {
  struct Settings: Equatable, Sendable {
    /// A camera that is not there at the start is waited for (`--wait`, and always from a configuration file).
    var waits = false
    /// A camera that is lost ends its stream (`--exit-on-loss`).
    var exitsOnLoss = false
    /// Nanoseconds without a frame after which a camera counts as stalled.
    var stallTimeout: Int64 = 3_000_000_000
    /// Its USB device may be reset when all else did not help.
    var resetsDevice = true
  }

  enum State: Equatable, Sendable {
    /// It cannot be used; it is tried again at a time that is known.
    case absent(CameraFailure)
    /// - Parameter attempt: 1 or more: since it was last open.
    case opening(attempt: Int)
    /// It is open, and has not given a frame yet.
    case starting
    case streaming
    /// It gives no frames; the step is what was done about that last.
    case stalled(Step)
    /// Nobody watches: it is closed. Every lifecycle begins so.
    case paused
    case ended
  }

  /// What may wake a camera that stalls, the gentlest first.
  enum Step: Equatable, Sendable { case restartStream, reopen, resetDevice }

  enum Action: Equatable, Sendable {
    case none
    /// Open the camera, and report `opened` or `failed`. Where it is must be found out each time.
    case open
    /// Stop the stream and start it again; report only where that fails.
    case restartStream
    /// Close the camera, and open it as in `open`.
    case reopen
    /// Close the camera, reset its USB device, and report `reset`.
    case resetDevice
    /// Close the camera.
    case close
    /// Close the camera if it is open, and call `tick` at this time: a timer is needed, since pauses are short.
    case retry(at: Int64)
    /// Close the camera; this is the end.
    case end
  }

  private(set) var state = State.paused
  private var settings: Settings
  private var hasOpened = false
  private var attempts = 0
  /// When a camera that is closed is opened again.
  private var retryTime: Int64?
  private var backoff = Backoff(from: 100_000_000, to: 2_000_000_000)
  private var stall: StallDetector
  /// Steps that were taken since the camera last streamed for a while.
  private var steps = 0
  /// Its USB device was reset, and it has not been opened since.
  private var isResetting = false
  private var openedTime = Int64.min / 2
  private var streamingTime = Int64.min / 2
  /// Changes of the source in a row that each came soon after the camera was opened.
  private var quickChanges = 0
  private var reported = State.paused
  private var reportedReason: String?

  /// Nanoseconds until a camera without a signal is asked again; not all drivers report that one came.
  private static let signalInterval: Int64 = 1_000_000_000
  /// A camera that streamed for so long has recovered: what was tried before no longer counts.
  private static let recovery: Int64 = 5_000_000_000
  /// The longest pause between two steps.
  private static let longestPatience: Int64 = 30_000_000_000
  /// Nanoseconds after which a reset of which nothing was heard is taken for done.
  private static let resetTimeout: Int64 = 10_000_000_000
  private static let resetAttempts = 8
  private static let quickChange: Int64 = 1_000_000_000

  init(_ settings: Settings) {
    self.settings = settings
    stall = StallDetector(patience: settings.stallTimeout)
  }

  /// Sets how long a camera may be without a frame, in nanoseconds: it depends on its rate, which is known once it is open.
  mutating func setStallTimeout(_ nanoseconds: Int64) {
    settings.stallTimeout = nanoseconds
    if steps == 0 { stall.patience = nanoseconds }
  }

  /// The state, once after each change. Attempts to open a camera that is waited for are no news.
  /// - Parameter reason: why the camera cannot be used: another one is news, too, unless the camera is not there at all.
  mutating func nextNews(reason: String? = nil) -> State? {
    if case .opening = state { return nil }
    var isOther = false
    if case .absent(let failure) = state, failure != .gone { isOther = reason != reportedReason }
    guard state != reported || isOther else { return nil }
    (reported, reportedReason) = (state, reason)
    return state
  }

  // MARK: Events

  /// Somebody watches, or nobody does any more. One that is to stream always is demanded once, at the start.
  mutating func demand(_ isWanted: Bool, at now: Int64) -> Action {
    switch (state, isWanted) {
    case (.ended, _), (.paused, false): return .none
    case (.paused, true): return open()
    case (_, true): return .none
    case (_, false):
      state = .paused
      (attempts, steps, retryTime, isResetting) = (0, 0, nil, false)
      stall.patience = settings.stallTimeout
      backoff.reset()
      return .close
    }
  }

  /// - Parameter frames: those that came so far, from all openings.
  mutating func opened(frames: UInt64, at now: Int64) -> Action {
    switch state {
    case .opening: state = .starting
    case .stalled(.reopen), .stalled(.resetDevice): retryTime = nil
    // It was no longer wanted while it was being opened.
    case .paused: return .close
    case .absent, .starting, .streaming, .stalled(.restartStream), .ended: return .none
    }
    (hasOpened, isResetting, attempts, openedTime) = (true, false, 0, now)
    stall.restart(frames: frames, at: now)
    return .none
  }

  /// Opening the camera, restarting it or taking a frame from it failed.
  mutating func failed(_ failure: CameraFailure, at now: Int64) -> Action {
    switch state {
    case .paused, .ended, .absent: return .none
    case .opening: return failedToOpen(failure, at: now)
    case .starting: return lost(failure, at: now)
    case .streaming:
      if now - streamingTime >= Self.recovery { backoff.reset() }
      return lost(failure, at: now)
    case .stalled(.restartStream):
      return failure == .gone || failure == .noSignal ? lost(failure, at: now) : takeStep(at: now)
    case .stalled(.reopen): return lost(failure, at: now)
    case .stalled(.resetDevice): return wait(for: failure, at: now)
    }
  }

  /// A device node appeared, or one's mode was changed: it may be this camera's.
  mutating func appeared(at now: Int64) -> Action {
    switch state {
    case .absent:
      backoff.reset()
      return open()
    case .stalled(.resetDevice) where retryTime != nil:
      retryTime = nil
      return .open
    case .opening, .starting, .streaming, .stalled, .paused, .ended: return .none
    }
  }

  /// Time passes. To be called every second, with the first frame, and when a retry is due.
  /// - Parameters:
  ///   - frames: those that came so far, from all openings.
  ///   - mayCome: the loop takes frames; else they wait in the camera.
  mutating func tick(frames: UInt64, mayCome: Bool = true, at now: Int64) -> Action {
    switch state {
    case .paused, .ended, .opening: return .none
    case .absent: return retryTime.map { now >= $0 } ?? true ? open() : .none
    case .stalled(.resetDevice) where retryTime != nil:
      guard let time = retryTime, now >= time else { return .none }
      retryTime = nil
      return .open
    case .starting, .streaming, .stalled: break
    }
    switch stall.check(frames, mayCome: mayCome, at: now) {
    case .waiting: return .none
    case .stalled: return takeStep(at: now)
    case .frames:
      if state != .streaming { (state, streamingTime) = (.streaming, now) }
      if now - streamingTime >= Self.recovery, steps > 0 {
        steps = 0
        stall.patience = settings.stallTimeout
      }
      return .none
    }
  }

  /// The driver reports that its input's signal came, went or changed.
  mutating func sourceChanged(at now: Int64) -> Action {
    switch state {
    // One that does not settle waits for the retry.
    case .absent(.noSignal): return quickChanges <= 2 ? open() : .none
    case .stalled(.resetDevice) where retryTime != nil: return .none
    case .starting, .streaming, .stalled:
      quickChanges = now - openedTime < Self.quickChange ? quickChanges + 1 : 0
      // A signal that comes and goes must not keep the camera from ever streaming.
      guard quickChanges <= 2 else { return wait(for: .noSignal, at: now) }
      _ = open()
      return .reopen
    case .absent, .opening, .paused, .ended: return .none
    }
  }

  /// The reset of the USB device is over.
  /// - Parameter isPossible: false: it was refused, or it is no USB device; it is not tried again.
  mutating func reset(isPossible: Bool, at now: Int64) -> Action {
    guard state == .stalled(.resetDevice), retryTime != nil else { return .none }
    settings.resetsDevice = isPossible
    backoff.reset()
    return retry(after: backoff.next(), at: now)
  }

  mutating func stop() -> Action {
    guard state != .ended else { return .none }
    state = .ended
    return .end
  }

  // MARK: What follows

  private mutating func open() -> Action {
    attempts += 1
    retryTime = nil
    state = .opening(attempt: attempts)
    return .open
  }

  private mutating func failedToOpen(_ failure: CameraFailure, at now: Int64) -> Action {
    // A device that was reset is away for a moment.
    if hasOpened {
      return isResetting && attempts < Self.resetAttempts ? wait(for: failure, at: now) : lost(failure, at: now)
    }
    // It is there, and only its signal is missing.
    if failure == .noSignal { hasOpened = true }
    guard hasOpened || settings.waits && failure != .misconfigured else { return stop() }
    return wait(for: failure, at: now)
  }

  private mutating func lost(_ failure: CameraFailure, at now: Int64) -> Action {
    settings.exitsOnLoss && failure != .noSignal ? stop() : wait(for: failure, at: now)
  }

  private mutating func wait(for failure: CameraFailure, at now: Int64) -> Action {
    state = .absent(failure)
    return retry(after: failure == .noSignal ? Self.signalInterval : backoff.next(), at: now)
  }

  private mutating func retry(after pause: Int64, at now: Int64) -> Action {
    retryTime = now + pause
    return .retry(at: now + pause)
  }

  /// The next step against a stall: a restart, a reopening and a reset at first; then reopenings and resets in turn, ever
  /// further apart.
  private mutating func takeStep(at now: Int64) -> Action {
    let step: Step = steps == 0 ? .restartStream : steps % 2 == 1 || !settings.resetsDevice ? .reopen : .resetDevice
    let doublings = min(max(0, steps - 2), 8)
    let patience = min(settings.stallTimeout, Self.longestPatience) << doublings
    stall.patience = max(settings.stallTimeout, min(patience, Self.longestPatience))
    stall.restart(at: now)
    steps += 1
    state = .stalled(step)
    switch step {
    case .restartStream: return .restartStream
    case .reopen: return .reopen
    case .resetDevice:
      isResetting = true
      retryTime = now + Self.resetTimeout
      return .resetDevice
    }
  }
}

extension CameraLifecycle.State: CustomStringConvertible {
  /// For people.
  var description: String {
    switch self {
    case .absent(let failure): failure.text
    case .opening: "it is being opened"
    case .starting: "it is open"
    case .streaming: "it streams"
    case .stalled(.restartStream): "it gives no frames: its stream was restarted"
    case .stalled(.reopen): "it still gives no frames: it was opened again"
    case .stalled(.resetDevice): "it still gives no frames: its USB device is reset"
    case .paused: "nobody watches: it is closed"
    case .ended: "it has ended"
    }
  }
}
