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
    let source = try V4L2Source(V4L2Camera(driver.path, options), options)
    let events = try LoopEvents(source: source.number, mailbox: mailbox.number, statsSeconds: nil)
    var loop = CameraLoop(source, settings, events: events, mailbox: mailbox, board: board)
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
}
