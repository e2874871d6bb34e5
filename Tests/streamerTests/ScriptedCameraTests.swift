import CScriptedDriver
import Glibc
import LinuxIO
import ScriptedDriver
import Testing
import V4L2Capture

@testable import streamer

/// A camera from its driver, which the test scripts, to the board.
@Suite struct ScriptedCameraTests {
  private let driver = ScriptedDriver([.init("MJPG", [(160, 128)])])
  private static let brightness: UInt32 = 0x0098_0900

  /// Streams all pictures that the driver has.
  private func run(_ words: String...) throws -> Board.State {
    let jpeg = try TestJPEG.make()
    driver.pictures = (0..<8).map { _ in .init(jpeg) }
    let (board, mailbox) = (try Board(), try Mailbox())
    driver.onEnd = { mailbox.post(.stop) }
    let options = try StreamOptions(Arguments([driver.path, "--to", "127.0.0.1:9"] + words))
    let settings = try StreamSettings(options, camera: 0)
    for address in settings.destinations { mailbox.post(.add(address)) }
    var loop = try CameraLoop(settings, mailbox: mailbox, board: board)
    try loop.run()
    return board.read()
  }

  /// Some cameras set all to their defaults when they start to stream.
  @Test func aControlThatIsForgottenIsSetAgain() throws {
    defer { driver.end() }
    driver.add("Brightness", id: Self.brightness, type: V4L2_CTRL_TYPE_INTEGER, 0, 255, initial: 128)
    driver.onCall = { [unowned driver] request, _, answer in
      if request == SCRIPTED_STREAMON { driver.values[Self.brightness] = 128 }
      return answer()
    }
    let state = try run("--set", "brightness=200")
    #expect(driver.values[Self.brightness] == 200)
    #expect(state.controlNotes.count == 1 && state.controlNotes[0].contains("brightness=200"), "\(state.controlNotes)")
    #expect(state.statistics.captured > 0)
  }

  @Test func aControlThatIsKeptIsLeftAlone() throws {
    defer { driver.end() }
    driver.add("Brightness", id: Self.brightness, type: V4L2_CTRL_TYPE_INTEGER, 0, 255, initial: 128)
    let state = try run("--set", "brightness=200")
    #expect(driver.values[Self.brightness] == 200 && state.controlNotes.isEmpty)
    #expect(driver.calls[SCRIPTED_S_EXT_CTRLS] == 1)
  }

  /// A driver calls its JPEGs by the other name.
  @Test func jpegByEitherName() throws {
    defer { driver.end() }
    driver.modes = [.init("JPEG", [(160, 128)])]
    #expect(try run("--format", "mjpeg").statistics.captured > 0)
  }

  /// A loopback device without a producer has no format at all.
  @Test func noFormats() throws {
    defer { driver.end() }
    driver.capabilities |= UInt32(V4L2_CAP_VIDEO_OUTPUT)
    driver.modes = []
    #expect {
      try run()
    } throws: { error in
      error is Failure && "\(error)".contains("no program feeds this loopback device")
    }
  }

  /// EPERM is of a cgroup, EACCES of the file.
  @Test(arguments: [(EPERM, "DeviceAllow=char-video4linux rw"), (EACCES, "usermod -aG video")])
  func whatMayNotBeOpened(errno: Int32, part: String) {
    defer { driver.end() }
    driver.openError = errno
    #expect {
      try run()
    } throws: { error in
      "\(error)".contains(part)
    }
  }

  /// Streams until `pictures` were given, is lost, and is there again after a while.
  /// - Parameters:
  ///   - error: what VIDIOC_DQBUF fails with.
  ///   - times: how often.
  ///   - reopening: what VIDIOC_S_FMT fails with for the first two times that the camera is opened again; 0: it does not.
  private func lose(
    _ words: [String] = [], _ error: Int32 = ENODEV, times: Int = 3, reopening: Int32 = 0
  ) throws -> (state: Board.State, packets: [[UInt8]]) {
    var receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1 << 22)
    let jpeg = try TestJPEG.make()
    let pictures = (0..<8).map { _ in ScriptedDriver.Picture(jpeg) }
    driver.pictures = pictures
    let (board, mailbox) = (try Board(), try Mailbox())
    var losses = 0
    driver.onCall = { [unowned driver] request, _, answer in
      if request == SCRIPTED_S_FMT, reopening != 0, (2...3).contains(driver.calls[SCRIPTED_QUERYCAP, default: 0]) {
        return reopening
      }
      guard request == SCRIPTED_DQBUF, driver.pictures.isEmpty, losses < times else { return answer() }
      losses += 1
      driver.pictures = pictures
      return error
    }
    driver.onEnd = { mailbox.post(.stop) }
    let options = try StreamOptions(
      Arguments([driver.path, "--to", "127.0.0.1:\(receiver.localAddress.port)", "--log-level", "error"] + words))
    let settings = try StreamSettings(options, camera: 0)
    for address in settings.destinations { mailbox.post(.add(address)) }
    var loop = try CameraLoop(settings, mailbox: mailbox, board: board)
    try loop.run()
    var packets: [[UInt8]] = []
    while true {
      let count = receiver.receive()
      if count == 0 { break }
      for index in 0..<count { packets.append(Array(receiver.datagram(at: index))) }
    }
    return (board.read(), packets)
  }

  /// A camera that fails is opened again, and the stream goes on as the same source.
  @Test(arguments: [ENODEV, EIO, EINVAL, EPROTO, ENOMEM]) func theStreamOutlivesItsCamera(error: Int32) throws {
    defer { driver.end() }
    let (state, packets) = try lose([], error)
    #expect(driver.calls[SCRIPTED_STREAMON] == 4)
    expectOneStream(state, packets, frames: 32)
    let said = reasons(state)
    #expect(said.count == 3)
    #expect(said.allSatisfy { $0.contains("VIDIOC_DQBUF") && $0.contains("\(Errno(rawValue: error))") }, "\(said)")
  }

  /// When it is opened again, it does not take its format at first: that is said, and it is tried on.
  @Test(arguments: [EIO, EINVAL, EBUSY, ENOMEM, EPROTO]) func itsFormatFailsForAWhile(error: Int32) throws {
    defer { driver.end() }
    let (state, packets) = try lose([], EIO, times: 1, reopening: error)
    expectOneStream(state, packets, frames: 16)
    let said = reasons(state).filter { $0.contains("VIDIOC_S_FMT") }
    #expect(said.count == 1 && said[0].contains("\(Errno(rawValue: error))"), "\(reasons(state))")
  }

  /// All frames left, under one SSRC, without a gap, and on one clock.
  private func expectOneStream(_ state: Board.State, _ packets: [[UInt8]], frames: UInt64) {
    #expect(state.statistics.captured == frames && state.statistics.sent == frames)
    func number(_ packet: [UInt8]) -> UInt16 { UInt16(packet[2]) << 8 | UInt16(packet[3]) }
    func time(_ packet: [UInt8]) -> UInt32 { packet[4..<8].reduce(0) { $0 << 8 | UInt32($1) } }
    #expect(Set(packets.map { Array($0[8..<12]) }).count == 1)
    #expect(zip(packets, packets.dropFirst()).allSatisfy { number($1) == number($0) &+ 1 })
    #expect(zip(packets, packets.dropFirst()).allSatisfy { time($1) &- time($0) < 90_000 * 30 })
  }

  /// Why the camera could not be used, each time that this was said.
  private func reasons(_ state: Board.State) -> [String] {
    state.events.since(0).compactMap { event in
      if case .camera(.absent, let reason?) = event { reason } else { nil }
    }
  }

  @Test func whoWantsItEndsWithItsCamera() throws {
    defer { driver.end() }
    #expect {
      try lose(["--exit-on-loss"])
    } throws: { error in
      "\(error)".contains("VIDIOC_DQBUF")
    }
  }

  /// The first time, it ends the program: with what failed.
  @Test(arguments: [EIO, EINVAL, EBUSY, ENOMEM]) func withoutAFormatItEnds(error: Int32) {
    defer { driver.end() }
    driver.onCall = { request, _, answer in request == SCRIPTED_S_FMT ? error : answer() }
    #expect {
      try run()
    } throws: { thrown in
      "\(thrown)".contains("VIDIOC_S_FMT") && "\(thrown)".contains("\(Errno(rawValue: error))")
    }
  }
}
