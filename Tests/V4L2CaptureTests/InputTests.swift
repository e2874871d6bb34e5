import CScriptedDriver
import Glibc
import LinuxIO
import ScriptedDriver
import Testing

@testable import V4L2Capture

/// Inputs, standards, signals and events with a driver that the test scripts.
@Suite struct InputTests {
  private let driver = ScriptedDriver()
  private static let full = scripted_timings(1920, 1080, 2200, 1125, 148_500_000)

  init() {
    driver.inputs = [
      .init("Webcam 0"),
      .init(
        "TV", capabilities: V4L2_IN_CAP_STD, standards: [("PAL", 0xFF), ("PAL-BG", 7), ("NTSC", 0xB000)]),
      .init("HDMI", capabilities: V4L2_IN_CAP_DV_TIMINGS), .init("HDMI", capabilities: V4L2_IN_CAP_DV_TIMINGS),
    ]
  }

  private func withDevice(input: UInt32 = 0, _ body: (borrowing Device) throws -> Void) throws {
    defer { driver.end() }
    let device = try Device(opening: driver.path)
    if let input = device.inputs().first(where: { $0.index == input }) { try device.select(input) }
    try body(device)
  }

  private func reason(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }

  @Test func inputsAreChosenByNumberOrName() throws {
    try withDevice { device in
      let inputs = device.inputs()
      #expect(inputs.map(\.description) == ["0 (Webcam 0)", "1 (TV)", "2 (HDMI)", "3 (HDMI)"])
      #expect(inputs.map(\.hasTimings) == [false, false, true, true])
      #expect(inputs.map(\.hasStandards) == [false, true, false, false])
      for (text, index) in [("0", 0), ("3", 3), ("tv", 1), ("WEBCAM_0", 0)] {
        #expect(try VideoInput.choose(text, from: inputs) == inputs[index])
      }
      #expect(
        reason { _ = try VideoInput.choose("hdmi", from: inputs) }
          == "it has several inputs of that name: take one's number; it has 0 (Webcam 0), 1 (TV), 2 (HDMI), 3 (HDMI)")
      #expect(
        reason { _ = try VideoInput.choose("9", from: inputs) }
          == "it has no such input; it has 0 (Webcam 0), 1 (TV), 2 (HDMI), 3 (HDMI)")
      #expect(reason { _ = try VideoInput.choose("0", from: []) } == "it has none at all")
      try device.select(inputs[2])
      #expect(driver.input == 2 && device.currentInput() == inputs[2])
      let refused = VideoInput(index: 9, name: "none")
      #expect(reason { try device.select(refused) }.hasPrefix("VIDIOC_S_INPUT 9 (none) on \(driver.path): Invalid"))
    }
  }

  @Test func aDriverWithoutInputsHasNone() throws {
    driver.inputs = []
    try withDevice { device in
      #expect(device.inputs().isEmpty && device.currentInput() == nil && device.standards().isEmpty)
      let signals = [try device.detectSignal(), try device.adoptSignal()]
      #expect(signals == [.present(timings: nil), .present(timings: nil)])
      let isSubscribed = device.subscribeToSourceChanges()
      #expect(!isSubscribed && device.nextEvent() == nil && !device.hasSourceChanged())
    }
  }

  @Test func enumerationsWithoutEndAreCutShort() throws {
    driver.onCall = { request, argument, answer in
      [SCRIPTED_ENUMINPUT, SCRIPTED_ENUMSTD, SCRIPTED_DQEVENT].contains(request) ? 0 : answer()
    }
    try withDevice { device in
      #expect(device.inputs().count == 64 && device.standards().count == 256 && !device.hasSourceChanged())
    }
  }

  @Test func standardsAreChosenByName() throws {
    try withDevice(input: 1) { device in
      let standards = device.standards()
      #expect(standards.map(\.name) == ["PAL", "PAL-BG", "NTSC"])
      #expect(try VideoStandard.choose("pal_bg", from: standards) == standards[1])
      #expect(
        reason { _ = try VideoStandard.choose("SECAM", from: standards) }
          == "it has no such standard; it has PAL, PAL-BG, NTSC")
      try device.select(standards[2])
      #expect(driver.standard == 0xB000)
      for (detected, name) in [(0, nil), (0x1000, "NTSC"), (7, "PAL"), (1 << 40, nil)] as [(UInt64, String?)] {
        driver.detectedStandard = detected
        #expect(device.detectStandard()?.name == name)
      }
      // A driver that knows nothing takes nothing away.
      driver.detectedStandard = .max
      #expect(device.detectStandard() == nil)
    }
  }

  @Test func aStandardOfAnInputWithoutStandardsIsRefused() throws {
    try withDevice(input: 2) { device in
      #expect(device.standards().isEmpty && device.detectStandard() == nil)
      let standard = VideoStandard(name: "PAL", id: 0xFF)
      #expect(reason { try device.select(standard) }.hasPrefix("VIDIOC_S_STD PAL on \(driver.path): No data"))
    }
  }

  @Test(
    arguments: [
      (ENOLINK, .missing), (ENOLCK, .unstable), (ERANGE, .unsupported), (ENODATA, .present(timings: nil)),
      (ENOTTY, .present(timings: nil)),
    ] as [(Int32, Signal)]) func aSignalThatIsNotThere(errno: Int32, signal: Signal) throws
  {
    driver.signal = .none(errno)
    try withDevice(input: 2) { device in
      let signals = [try device.detectSignal(), try device.adoptSignal()]
      #expect(signals == [signal, signal])
      #expect(driver.calls[SCRIPTED_S_DV_TIMINGS] == nil || signal.isPresent)
    }
  }

  @Test func aSignalsTimingsAreAdopted() throws {
    driver.signal = .timings(Self.full)
    try withDevice(input: 2) { device in
      let timings = VideoTimings(size: FrameSize(1920, 1080), rate: FrameRate(148_500_000, 2_475_000))
      #expect(timings.description == "1920x1080 at 60 fps")
      let detected = try device.detectSignal()
      #expect(detected == .present(timings: timings) && VideoTimings(driver.timings)?.size == FrameSize(640, 480))
      let adopted = try device.adoptSignal()
      #expect(adopted == .present(timings: timings) && VideoTimings(driver.timings) == timings)
      // Those that are set already are not set again.
      let again = try device.adoptSignal()
      #expect(again == adopted)
      #expect(driver.calls[SCRIPTED_S_DV_TIMINGS] == 1)
    }
  }

  /// A driver detects more than it captures; other failures are errors.
  @Test(arguments: [EINVAL, ERANGE, EBUSY]) func timingsThatItDoesNotCapture(errno: Int32) throws {
    driver.signal = .timings(Self.full)
    driver.onCall = { request, _, answer in request == SCRIPTED_S_DV_TIMINGS ? errno : answer() }
    try withDevice(input: 2) { device in
      guard errno == EBUSY else {
        let signal = try device.adoptSignal()
        #expect(signal == .unsupported)
        return
      }
      #expect(reason { _ = try device.adoptSignal() }.hasPrefix("VIDIOC_S_DV_TIMINGS on \(driver.path): Device or"))
    }
  }

  @Test func whatCannotBeCapturedHasItsReason() {
    #expect(NoSignal(.present(timings: nil), at: "x") == nil)
    let reasons = [Signal.missing, .unstable, .unsupported].map { NoSignal($0, at: "x")?.description ?? "" }
    #expect(Set(reasons).count == 3 && reasons.allSatisfy { $0.hasPrefix("x: ") })
  }

  @Test func aDriverThatFailsToQueryIsAnError() throws {
    driver.signal = .none(EIO)
    try withDevice(input: 2) { device in
      #expect(reason { _ = try device.detectSignal() }.hasPrefix("VIDIOC_QUERY_DV_TIMINGS on \(driver.path): Input"))
      #expect(reason { _ = try device.adoptSignal() }.hasPrefix("VIDIOC_QUERY_DV_TIMINGS on \(driver.path): Input"))
    }
  }

  /// Timings that no signal has: sizes and totals of 0, and of more than 32 bits.
  @Test(
    arguments: [(0, 0, 0, 0, 0), (640, 480, 0, 0, 0), (.max, 1, .max, .max, .max), (640, 480, .max, .max, .max)]
      as [(UInt32, UInt32, UInt32, UInt32, UInt64)])
  func timingsThatCannotBe(_ given: (UInt32, UInt32, UInt32, UInt32, UInt64)) throws {
    var timings = scripted_timings(0, 0, 0, 0, 0)
    timings.bt.width = given.0
    timings.bt.height = given.1
    timings.bt.hsync = given.2
    timings.bt.vsync = given.3
    timings.bt.pixelclock = given.4
    driver.signal = .timings(timings)
    try withDevice(input: 2) { device in
      let expected: Signal =
        given.0 == 640 ? .present(timings: VideoTimings(size: FrameSize(640, 480), rate: nil)) : .unsupported
      let signal = try device.adoptSignal()
      #expect(signal == expected)
    }
  }

  @Test(
    arguments: [
      (V4L2_IN_ST_NO_SIGNAL, .missing), (V4L2_IN_ST_NO_POWER, .missing), (V4L2_IN_ST_NO_H_LOCK, .unstable),
      (V4L2_IN_ST_NO_SYNC, .unstable), (V4L2_IN_ST_HFLIP | V4L2_IN_ST_NO_COLOR, .present(timings: nil)),
    ] as [(Int32, Signal)]) func anAnalogInputsStatus(status: Int32, signal: Signal) throws
  {
    driver.inputs[1].status = UInt32(status)
    try withDevice(input: 1) { device in
      let signals = [try device.detectSignal(), try device.adoptSignal()]
      #expect(signals == [signal, signal])
    }
  }

  @Test func sourceChangesAreReported() throws {
    try withDevice(input: 3) { device in
      let isSubscribed = device.subscribeToSourceChanges()
      #expect(isSubscribed)
      #expect(driver.subscriptions.map(\.type) == [UInt32(V4L2_EVENT_SOURCE_CHANGE)])
      #expect(driver.subscriptions.map(\.id) == [3])
      #expect(device.nextEvent() == nil && !device.hasSourceChanged())
      driver.events = [
        (UInt32(V4L2_EVENT_CTRL), 1), (UInt32(V4L2_EVENT_SOURCE_CHANGE), 0), (UInt32(V4L2_EVENT_SOURCE_CHANGE), 1),
      ]
      #expect(device.nextEvent() == .other && device.nextEvent() == .other && device.nextEvent() == .sourceChanged)
      driver.events = [(UInt32(V4L2_EVENT_SOURCE_CHANGE), 1), (UInt32(V4L2_EVENT_EOS), 0)]
      #expect(device.hasSourceChanged() && driver.events.isEmpty && !device.hasSourceChanged())
    }
  }
}

/// A stream that is stopped and started again with the same buffers.
@Suite struct RestartTests {
  private let driver = ScriptedDriver()

  private func reason(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }

  private func withRing(isWatched: Bool = false, _ body: (borrowing BufferRing) throws -> Void) throws {
    defer { driver.end() }
    let device = try Device(opening: driver.path)
    _ = try device.set(ModeChoice(format: .mjpeg, size: FrameSize(640, 480)))
    try body(try BufferRing(device, buffers: 4, isWatched: isWatched))
  }

  private func bytes(_ ring: borrowing BufferRing) throws -> [UInt8]? {
    guard let frame = try ring.dequeue() else { return nil }
    return Array(frame.bytes)
  }

  @Test(arguments: [false, true]) func aRingRestarts(isWatched: Bool) throws {
    driver.pictures = [.init([1]), .init([2])]
    try withRing(isWatched: isWatched) { ring in
      let first = try bytes(ring)
      #expect(first == [1])
      try ring.restart()
      #expect(driver.queuedCount == 4 && driver.mappedCount == 4 && driver.calls[SCRIPTED_REQBUFS] == 1)
      #expect(driver.calls[SCRIPTED_STREAMOFF] == 1 && driver.calls[SCRIPTED_STREAMON] == 2)
      let second = try bytes(ring)
      #expect(second == [2])
      #expect(ring.isWatched == isWatched)
    }
    #expect(driver.mappedCount == 0)
  }

  @Test func aRingWithALentFrameDoesNotRestart() throws {
    driver.pictures = [.init([1])]
    try withRing { ring in
      do {
        let frame = try ring.dequeue()
        #expect(reason { try ring.restart() }.hasSuffix("it cannot be restarted while a frame of it is being sent"))
        _ = consume frame
      }
      try ring.restart()
    }
  }

  @Test(arguments: [SCRIPTED_STREAMOFF, SCRIPTED_QBUF, SCRIPTED_STREAMON]) func aRestartFails(call: UInt) throws {
    try withRing { ring in
      driver.onCall = { request, _, answer in request == call ? ENODEV : answer() }
      #expect(reason { try ring.restart() }.hasSuffix("No such device (ENODEV); it was unplugged"))
      // A buffer that the driver did not take back does not outlive a good restart.
      driver.onCall = nil
      try ring.restart()
      let none = try bytes(ring)
      #expect(none == nil)
    }
  }
}
