import Glibc
import LinuxIO
import Testing
import V4L2Capture

@testable import streamer

private typealias Action = CameraLifecycle.Action
private typealias State = CameraLifecycle.State

/// What can happen to a camera.
private enum Event: Hashable, CaseIterable {
  case demand, noDemand, opened, appeared, sourceChanged, reset, resetRefused, stop
  case failed(CameraFailure)
  /// No frame came: just now, for long, and for long while none could come.
  case soon, late, lateButHeld
  case frames

  static var allCases: [Event] {
    [.demand, .noDemand, .opened, .appeared, .sourceChanged, .reset, .resetRefused, .stop, .soon, .late, .lateButHeld]
      + [.frames] + CameraFailure.allCases.map { .failed($0) }
  }
}

/// A lifecycle with its clock and its frames.
private struct Camera {
  var lifecycle: CameraLifecycle
  var now: Int64 = 1_000_000_000_000
  var frames: UInt64 = 0

  init(waits: Bool = false, exitsOnLoss: Bool = false, resetsDevice: Bool = true) {
    lifecycle = CameraLifecycle(.init(waits: waits, exitsOnLoss: exitsOnLoss, resetsDevice: resetsDevice))
  }

  var state: State { lifecycle.state }

  /// - Parameter after: milliseconds since the event before.
  @discardableResult
  mutating func on(_ event: Event, after: Int64 = 0) -> Action {
    now += after * 1_000_000
    switch event {
    case .demand: return lifecycle.demand(true, at: now)
    case .noDemand: return lifecycle.demand(false, at: now)
    case .opened: return lifecycle.opened(frames: frames, at: now)
    case .failed(let failure): return lifecycle.failed(failure, at: now)
    case .appeared: return lifecycle.appeared(at: now)
    case .sourceChanged: return lifecycle.sourceChanged(at: now)
    case .reset: return lifecycle.reset(isPossible: true, at: now)
    case .resetRefused: return lifecycle.reset(isPossible: false, at: now)
    case .stop: return lifecycle.stop()
    case .soon: return lifecycle.tick(frames: frames, at: now)
    case .late:
      now += 3_000_000_000
      return lifecycle.tick(frames: frames, at: now)
    case .lateButHeld:
      now += 3_000_000_000
      return lifecycle.tick(frames: frames, mayCome: false, at: now)
    case .frames:
      frames += 30
      return lifecycle.tick(frames: frames, at: now)
    }
  }

  /// Streams for so many seconds.
  mutating func stream(seconds: Int) { for _ in 0..<seconds { on(.frames, after: 1000) } }

  /// When it is to be tried again: milliseconds from now.
  func pause(_ action: Action) -> Int64? {
    guard case .retry(let time) = action else { return nil }
    return (time - now) / 1_000_000
  }

  static func at(_ events: [Event], waits: Bool = true, exitsOnLoss: Bool = false) -> Camera {
    var camera = Camera(waits: waits, exitsOnLoss: exitsOnLoss)
    for event in events { camera.on(event) }
    return camera
  }
}

@Suite struct CameraLifecycleTests {
  /// Ways to each state.
  private static let ways: [(state: State, events: [Event])] = [
    (.paused, []),
    (.opening(attempt: 1), [.demand]),
    (.absent(.gone), [.demand, .failed(.gone)]),
    (.absent(.failing), [.demand, .opened, .frames, .failed(.failing)]),
    (.absent(.noSignal), [.demand, .failed(.noSignal)]),
    (.starting, [.demand, .opened]),
    (.streaming, [.demand, .opened, .frames]),
    (.stalled(.restartStream), [.demand, .opened, .frames, .late]),
    (.stalled(.reopen), [.demand, .opened, .late, .late]),
    (.stalled(.resetDevice), [.demand, .opened, .late, .late, .opened, .late]),
    (.ended, [.demand, .stop]),
  ]

  /// The pairs that mean something, where a camera is waited for; all others change nothing.
  private static func follows(_ event: Event, in state: State) -> State? {
    switch (state, event) {
    case (.ended, _), (.paused, .noDemand): return nil
    case (_, .stop): return .ended
    case (_, .noDemand): return .paused
    case (.paused, .demand): return .opening(attempt: 1)
    case (.paused, _): return nil
    case (.opening, .opened): return .starting
    case (.opening, .failed(.misconfigured)): return .ended
    case (.opening, .failed(let failure)): return .absent(failure)
    case (.absent(.failing), .appeared), (.absent(.failing), .late), (.absent(.failing), .lateButHeld):
      return .opening(attempt: 1)
    case (.absent, .appeared), (.absent, .late), (.absent, .lateButHeld), (.absent(.noSignal), .sourceChanged):
      return .opening(attempt: 2)
    case (.starting, .frames), (.stalled(.restartStream), .frames), (.stalled(.reopen), .frames): return .streaming
    case (.starting, .late), (.streaming, .late): return .stalled(.restartStream)
    case (.starting, .failed(let failure)), (.streaming, .failed(let failure)): return .absent(failure)
    case (.starting, .sourceChanged), (.streaming, .sourceChanged), (.stalled(.restartStream), .sourceChanged),
      (.stalled(.reopen), .sourceChanged):
      return .opening(attempt: 1)
    case (.stalled(.restartStream), .failed(let failure)):
      return [.gone, .noSignal].contains(failure) ? .absent(failure) : .stalled(.reopen)
    case (.stalled, .failed(let failure)): return .absent(failure)
    case (.stalled(.restartStream), .late): return .stalled(.reopen)
    case (.stalled(.reopen), .late): return .stalled(.resetDevice)
    default: return nil
    }
  }

  @Test func everyEventInEveryState() {
    for (state, events) in Self.ways {
      #expect(Camera.at(events).state == state, "\(events)")
      for event in Event.allCases {
        var camera = Camera.at(events)
        let before = camera.lifecycle
        let action = camera.on(event)
        guard let next = Self.follows(event, in: state) else {
          #expect(camera.state == state && !Self.changes(action, in: state, event), "\(state) \(event): \(action)")
          if [.paused, .ended].contains(state) { #expect(camera.lifecycle == before, "\(state) \(event)") }
          continue
        }
        #expect(camera.state == next, "\(state) \(event)")
        let expected: Bool
        switch next {
        case .ended: expected = action == .end
        case .paused: expected = action == .close
        case .opening: expected = action == (event == .sourceChanged && !Self.isAbsent(state) ? .reopen : .open)
        case .absent(.noSignal): expected = camera.pause(action) == 1000
        case .absent: expected = camera.pause(action) == 100
        case .stalled(.restartStream): expected = action == .restartStream
        case .stalled(.reopen): expected = action == .reopen
        case .stalled(.resetDevice): expected = action == .resetDevice
        case .starting, .streaming: expected = action == .none
        }
        #expect(expected, "\(state) \(event): \(action)")
      }
    }
  }

  private static func isAbsent(_ state: State) -> Bool { if case .absent = state { true } else { false } }

  /// Answers that do not change the state, and mean something all the same.
  private static func changes(_ action: Action, in state: State, _ event: Event) -> Bool {
    switch (state, event) {
    // Opened while nobody watches any more.
    case (.paused, .opened): action != .close
    // While a device is reset, its node appears.
    case (.stalled(.resetDevice), .appeared): action != .open
    case (.stalled(.resetDevice), .reset), (.stalled(.resetDevice), .resetRefused):
      if case .retry = action { false } else { true }
    default: action != .none
    }
  }

  /// Whatever happens in whatever order, nothing traps, and a camera that is waited for is always tried again.
  @Test func anyOrder() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      var camera = Camera(waits: true, exitsOnLoss: .random(), resetsDevice: .random())
      var events: [Event] = []
      for _ in 0..<80 {
        guard let event = Event.allCases.randomElement(using: &random), event != .stop else { continue }
        events.append(event)
        camera.on(event, after: Int64.random(in: 0...5000))
        _ = camera.lifecycle.nextNews()
      }
      guard camera.state != .ended, camera.state != .paused else { continue }
      if case .opening = camera.state { camera.on(.failed(.gone)) }
      guard camera.state != .ended else { continue }
      var hasOpened = false
      for _ in 0..<100 where !hasOpened {
        let action = camera.on(.late)
        hasOpened = [.open, .reopen, .resetDevice].contains(action)
      }
      #expect(hasOpened, "\(events)")
    }
  }

  // MARK: Not there at the start, lost later

  @Test func aCameraThatIsNotThereAtTheStart() {
    for failure in CameraFailure.allCases {
      let isWaitedFor = failure == .noSignal
      #expect(Camera.at([.demand, .failed(failure)], waits: false).state == (isWaitedFor ? .absent(failure) : .ended))
      let ends = failure == .misconfigured
      #expect(Camera.at([.demand, .failed(failure)]).state == (ends ? .ended : .absent(failure)))
    }
  }

  @Test func aCameraThatIsLostIsWaitedFor() {
    for failure in CameraFailure.allCases {
      var camera = Camera.at([.demand, .opened, .frames], waits: false)
      #expect(camera.pause(camera.on(.failed(failure))) != nil && camera.state == .absent(failure))
      #expect(camera.on(.late) == .open)
      #expect(camera.pause(camera.on(.failed(failure))) != nil && camera.state == .absent(failure))
      #expect(camera.on(.appeared) == .open && camera.on(.opened) == .none && camera.state == .starting)
      #expect(camera.on(.frames) == .none && camera.state == .streaming)
    }
  }

  @Test func aLossEndsWhereThatIsWanted() {
    for failure in CameraFailure.allCases {
      let state = failure == .noSignal ? State.absent(.noSignal) : .ended
      #expect(Camera.at([.demand, .opened, .frames, .failed(failure)], exitsOnLoss: true).state == state)
      #expect(Camera.at([.demand, .opened, .failed(failure)], exitsOnLoss: true).state == state)
      // Of a camera that stalls, once it does not open again.
      #expect(
        Camera.at([.demand, .opened, .frames, .late, .late, .failed(failure)], exitsOnLoss: true).state == state)
    }
  }

  @Test func aDeviceThatIsResetMayBeAwayForAMoment() {
    var camera = Camera.at([.demand, .opened, .frames, .late, .late, .opened, .late], exitsOnLoss: true)
    #expect(camera.state == .stalled(.resetDevice))
    #expect(camera.pause(camera.on(.reset)) == 100)
    #expect(camera.on(.soon, after: 100) == .open)
    for _ in 0..<6 {
      #expect(camera.pause(camera.on(.failed(.gone))) != nil)
      #expect(camera.on(.soon, after: 2000) == .open)
    }
    // But not for ever.
    for _ in 0..<9 where camera.state != .ended {
      camera.on(.failed(.gone))
      camera.on(.soon, after: 2000)
    }
    #expect(camera.state == .ended)
  }

  @Test func pausesGrowAndBeginAgainWithAnAppearance() {
    var camera = Camera.at([.demand, .opened])
    camera.stream(seconds: 10)
    var pauses: [Int64?] = [camera.pause(camera.on(.failed(.gone)))]
    for _ in 0..<7 {
      // No sooner than it is due.
      #expect(camera.on(.soon, after: (pauses.last.flatMap { $0 } ?? 0) - 1) == .none)
      #expect(camera.on(.soon, after: 1) == .open)
      pauses.append(camera.pause(camera.on(.failed(.gone))))
    }
    #expect(pauses == [100, 200, 400, 800, 1600, 2000, 2000, 2000])
    #expect(camera.state == .absent(.gone))
    #expect(camera.on(.appeared, after: 1) == .open && camera.state == .opening(attempt: 8))
    // udev may set the mode of a new node later.
    #expect(camera.pause(camera.on(.failed(.denied))) == 100)
    #expect(camera.on(.appeared, after: 1) == .open && camera.on(.opened) == .none)
  }

  /// A camera that fails again and again soon after it streams is tried less and less often.
  @Test func aCameraThatFlaps() {
    var camera = Camera.at([.demand])
    var pauses: [Int64?] = []
    for _ in 0..<6 {
      camera.on(.opened)
      camera.stream(seconds: 1)
      pauses.append(camera.pause(camera.on(.failed(.failing))))
      #expect(camera.on(.soon, after: 2000) == .open)
    }
    #expect(pauses == [100, 200, 400, 800, 1600, 2000])
    camera.on(.opened)
    camera.stream(seconds: 6)
    #expect(camera.pause(camera.on(.failed(.failing))) == 100)
  }

  // MARK: Stalls

  @Test func stepsAgainstAStallGrowAndGoOn() {
    var camera = Camera.at([.demand, .opened])
    camera.stream(seconds: 10)
    let start = camera.now
    var steps: [(second: Int64, action: Action)] = []
    for _ in 0..<290 {
      let action = camera.on(.soon, after: 1000)
      if action == .reopen || action == .open { camera.on(.opened) }
      if action == .resetDevice { camera.on(.reset) }
      if ![.none, .open].contains(action) { steps.append(((camera.now - start) / 1_000_000_000, action)) }
    }
    #expect(
      steps.map(\.action) == [.restartStream, .reopen] + Array(repeating: [.resetDevice, .reopen], count: 6).joined())
    let pauses = zip(steps.dropFirst(), steps).map { $0.second - $1.second }
    #expect(steps.first?.second == 3 && pauses == [3, 3, 4, 6, 13, 24, 31, 30, 31, 30, 31, 30, 31])
  }

  @Test func aStallThatARestartEnds() {
    var camera = Camera.at([.demand, .opened])
    camera.stream(seconds: 10)
    for _ in 0..<3 {
      #expect(camera.on(.late) == .restartStream && camera.on(.frames) == .none && camera.state == .streaming)
      camera.stream(seconds: 6)
    }
    // One that stalls again at once needs more.
    #expect(camera.on(.late) == .restartStream && camera.on(.frames) == .none)
    #expect(camera.on(.late) == .reopen && camera.on(.opened) == .none && camera.on(.frames) == .none)
    #expect(camera.on(.late) == .resetDevice && camera.on(.reset) != .none)
  }

  @Test func frameNumbersBeforeAnOpeningAreNoFrames() {
    var camera = Camera.at([.demand, .opened, .frames, .failed(.gone)])
    // Some came after the last tick.
    camera.frames += 12
    #expect(camera.on(.late) == .open && camera.on(.opened) == .none)
    #expect(camera.on(.soon, after: 1000) == .none && camera.state == .starting)
  }

  @Test func framesThatMustWaitAreNoStall() {
    var camera = Camera.at([.demand, .opened, .frames])
    for _ in 0..<5 { #expect(camera.on(.lateButHeld) == .none && camera.state == .streaming) }
    #expect(camera.on(.soon, after: 2999) == .none && camera.on(.soon, after: 1) == .restartStream)
  }

  @Test func aResetThatIsRefusedIsNotTriedAgain() {
    var camera = Camera.at([.demand, .opened, .frames, .late, .late, .opened, .late])
    #expect(camera.pause(camera.on(.resetRefused)) == 100 && camera.on(.soon, after: 100) == .open)
    #expect(camera.on(.opened) == .none)
    var actions: Set<Bool> = []
    for _ in 0..<200 { if camera.on(.soon, after: 1000) == .reopen { actions.insert(camera.on(.opened) == .none) } }
    #expect(actions == [true] && camera.state == .stalled(.reopen))
  }

  @Test func aResetOfWhichNothingIsHeardEnds() {
    var camera = Camera.at([.demand, .opened, .frames, .late, .late, .opened, .late])
    #expect(camera.on(.soon, after: 9999) == .none && camera.on(.soon, after: 1) == .open)
    #expect(camera.on(.opened) == .none && camera.on(.frames) == .none && camera.state == .streaming)
  }

  @Test func theTimeoutOfASlowCamera() {
    #expect(StallDetector.usualPatience(FrameRate(30)) == 3_000_000_000)
    #expect(StallDetector.usualPatience(FrameRate(1)) == 10_000_000_000)
    #expect(StallDetector.usualPatience(nil) == 3_000_000_000)
    var camera = Camera.at([.demand, .opened])
    camera.lifecycle.setStallTimeout(10_000_000_000)
    #expect(camera.on(.soon, after: 9999) == .none && camera.on(.soon, after: 1) == .restartStream)
  }

  @Test(arguments: [1, 60_000_000_000, Int64.max / 4]) func timeoutsOfAnyLength(timeout: Int64) {
    var lifecycle = CameraLifecycle(.init(stallTimeout: timeout))
    _ = lifecycle.demand(true, at: 0)
    _ = lifecycle.opened(frames: 0, at: 0)
    #expect(lifecycle.tick(frames: 0, at: timeout - 1) == .none)
    #expect(lifecycle.tick(frames: 0, at: timeout) == .restartStream)
    #expect(lifecycle.tick(frames: 0, at: timeout + timeout - 1) == .none)
    #expect(lifecycle.tick(frames: 0, at: timeout + timeout) == .reopen)
  }

  // MARK: Signals

  @Test func aSignalThatChangesIsCapturedAgain() {
    var camera = Camera.at([.demand, .opened])
    camera.stream(seconds: 5)
    #expect(camera.on(.sourceChanged) == .reopen && camera.state == .opening(attempt: 1))
    #expect(camera.on(.opened) == .none && camera.on(.frames) == .none && camera.state == .streaming)
  }

  @Test func aSignalThatIsLostIsWaitedFor() {
    var camera = Camera.at([.demand, .opened], exitsOnLoss: true)
    camera.stream(seconds: 5)
    #expect(camera.on(.sourceChanged) == .reopen && camera.pause(camera.on(.failed(.noSignal))) == 1000)
    #expect(camera.state == .absent(.noSignal) && camera.state.description == "no signal, waiting")
    for _ in 0..<3 { #expect(camera.on(.late) == .open && camera.pause(camera.on(.failed(.noSignal))) == 1000) }
    #expect(camera.on(.sourceChanged) == .open && camera.on(.opened) == .none && camera.state == .starting)
  }

  @Test func aSignalThatNeverSettlesIsNoEndlessLoop() {
    var camera = Camera.at([.demand, .opened])
    camera.stream(seconds: 5)
    var reopenings = 0
    for _ in 0..<10 where camera.on(.sourceChanged) == .reopen {
      reopenings += 1
      camera.on(.opened)
    }
    #expect(reopenings == 3 && camera.state == .absent(.noSignal))
  }

  // MARK: Demand, news, errors

  @Test func nobodyWatches() {
    var camera = Camera.at([.demand, .opened, .frames])
    #expect(camera.on(.noDemand) == .close && camera.state == .paused)
    for event in Event.allCases where ![.demand, .stop, .opened].contains(event) {
      #expect(camera.on(event) == .none && camera.state == .paused)
    }
    #expect(camera.on(.demand) == .open && camera.on(.opened) == .none && camera.on(.noDemand) == .close)
    // It was unplugged meanwhile.
    #expect(camera.on(.demand) == .open && camera.pause(camera.on(.failed(.gone))) == 100)
    #expect(camera.on(.stop) == .end && camera.on(.stop) == .none && camera.on(.demand) == .none)
  }

  @Test func eachChangeIsNewsOnce() {
    var camera = Camera(waits: true)
    var news: [State] = []
    func take() { while let state = camera.lifecycle.nextNews() { news.append(state) } }
    take()
    camera.on(.demand)
    take()
    for _ in 0..<5 {
      camera.on(.failed(.gone))
      take()
      camera.on(.late)
      take()
    }
    for event in [.failed(.denied), .appeared, .opened, .frames, .frames, .late, .frames, .failed(.gone)] as [Event] {
      camera.on(event)
      take()
    }
    #expect(
      news == [
        .absent(.gone), .absent(.denied), .starting, .streaming, .stalled(.restartStream), .streaming, .absent(.gone),
      ])
  }

  /// A camera that fails for another reason than before is news; one that is not there has no reason.
  @Test func anotherReasonIsNews() {
    var camera = Camera(waits: true)
    camera.on(.demand)
    for (failure, reason, isNews) in [
      (.failing, "DQBUF", true), (.failing, "DQBUF", false), (.failing, "STREAMON", true),
      (.failing, "STREAMON", false),
      (.gone, "DQBUF", true), (.gone, "open", false), (.noSignal, "nothing", true), (.noSignal, "unstable", true),
    ] as [(CameraFailure, String, Bool)] {
      camera.on(.failed(failure))
      #expect((camera.lifecycle.nextNews(reason: reason) != nil) == isNews, "\(failure), \(reason)")
      camera.on(.late)
    }
  }

  @Test func whatErrorsMean() {
    func failure(_ errno: Int32) -> CameraFailure {
      CameraFailure(SystemCallError("VIDIOC_DQBUF", on: "/dev/video0", Errno(rawValue: errno)))
    }
    for (errno, expected) in [
      (ENODEV, .gone), (ENXIO, .gone), (ENOENT, .gone), (EACCES, .denied), (EPERM, .denied), (EBUSY, .busy),
      (ENOSPC, .busy), (ENOTTY, .unsuitable), (EIO, .failing), (EPROTO, .failing), (ETIMEDOUT, .failing),
      (EINVAL, .failing),
      (ENOLINK, .noSignal), (ENOLCK, .noSignal), (ERANGE, .noSignal),
    ] as [(Int32, CameraFailure)] {
      #expect(failure(errno) == expected)
    }
    #expect(CameraFailure(UsageError("--size")) == .misconfigured && CameraFailure(Failure("no mode")) == .unsuitable)
    for signal in [Signal.missing, .unstable, .unsupported] {
      #expect(NoSignal(signal, at: "/dev/video0").map { CameraFailure($0) } == .noSignal)
    }
    do { _ = try Device(opening: "/dev/no-such-camera") } catch { #expect(CameraFailure(error) == .gone) }
    do { _ = try Device(opening: "/dev/null") } catch { #expect(CameraFailure(error) == .unsuitable) }
    do { _ = try Device(opening: "/") } catch { #expect(CameraFailure(error) == .unsuitable) }
  }
}
