import CScriptedDriver
import Glibc
import JPEGCodec
import LinuxIO
import ScriptedDriver
import Testing
import V4L2Capture

@testable import streamer

/// Cameras from their modes to packets, with a driver that the test scripts.
@Suite struct V4L2CameraTests {
  private let driver = ScriptedDriver([
    .init("MJPG", [(1280, 720), (640, 480)]), .init("YUYV", [(640, 480)], intervals: [(1, 20)]),
  ])

  private func options(_ words: [String] = [], port: UInt16 = 9) throws -> StreamOptions {
    try StreamOptions(
      Arguments([driver.path, "--to", "127.0.0.1:\(port)", "--log-level", "error", "--keep-all"] + words))
  }

  /// What the camera is set to, or why it cannot be.
  private func outcome(_ words: [String] = []) -> String {
    do {
      let camera = try V4L2Camera(driver.path, options(words).first.source)
      return "\(camera.format)"
    } catch { return "\(error)" }
  }

  /// Has the driver answer VIDIOC_S_FMT by what was asked for.
  private func answer(_ body: @escaping (_ format: String, _ width: UInt32) -> (String, UInt32, UInt32)?) {
    driver.onCall = { [driver] request, argument, answer in
      guard request == SCRIPTED_S_FMT else { return answer() }
      let asked = argument.assumingMemoryBound(to: v4l2_format.self).pointee.fmt.pix
      let format = PixelFormat(rawValue: asked.pixelformat).description
      guard let (given, width, height) = body(format, asked.width) else { return EINVAL }
      driver.fill(argument, given, width, height)
      return 0
    }
  }

  @Test func whatTheDriverGivesIsTaken() {
    answer { _, _ in ("MJPG", 800, 600) }
    #expect(outcome() == "MJPG 800x600")
    #expect(outcome(["--format", "mjpeg"]) == "MJPG 800x600")
    #expect(driver.calls[SCRIPTED_S_FMT] == 2)
    driver.end()
  }

  /// The next mode in order: smaller, or of another format.
  @Test func aModeThatIsRefusedIsPassedOver() {
    answer { format, width in width == 1280 ? nil : (format, 640, 480) }
    #expect(outcome() == "MJPG 640x480")
    answer { format, _ in format == "MJPG" ? nil : (format, 640, 480) }
    #expect(outcome() == "YUYV 640x480")
    // A format that cannot be sent is no answer.
    answer { format, _ in format == "MJPG" ? ("H264", 1280, 720) : ("YUYV", 640, 480) }
    #expect(outcome() == "YUYV 640x480")
    #expect(outcome(["--size", "640x480"]) == "YUYV 640x480")
    driver.end()
  }

  /// What was asked for is not exchanged for something else: the error names what would do.
  @Test func whatWasAskedForIsNotChanged() {
    answer { _, _ in ("YUYV", 640, 480) }
    #expect(
      outcome(["--format", "mjpeg", "--size", "1280x720"])
        == "\(driver.path): its driver was asked for MJPG 1280x720 and set YUYV 640x480;"
        + " --format YUYV --size 640x480 may do instead")
    answer { _, _ in ("MJPG", 640, 480) }
    #expect(outcome(["--size", "1280x720"]).hasSuffix("; --format MJPG --size 640x480 may do instead"))
    answer { format, _ in format == "MJPG" ? nil : (format, 640, 480) }
    let text = outcome(["--format", "mjpeg"])
    #expect(text.contains("VIDIOC_S_FMT on \(driver.path)") && text.hasSuffix("(EINVAL); --format YUYV may do instead"))
    answer { _, _ in nil }
    #expect(outcome().hasSuffix("(EINVAL)"))
    driver.end()
  }

  /// Fields apart are the signal's, so that no other format is proposed.
  @Test func fieldsApartHaveNoOtherFormat() {
    driver.onCall = { request, argument, answer in
      let error = answer()
      guard request == SCRIPTED_S_FMT else { return error }
      argument.assumingMemoryBound(to: v4l2_format.self).pointee.fmt.pix.field = V4L2_FIELD_ALTERNATE.rawValue
      return error
    }
    let text = outcome(["--format", "yuyv"])
    #expect(text.contains("V4L2_FIELD_ALTERNATE") && !text.contains("may do instead"), "\(text)")
    driver.end()
  }

  /// Drivers call JPEGs by two names.
  @Test(arguments: ["MJPG", "JPEG"]) func jpegHasTwoNames(name: String) {
    driver.modes = [.init(name, [(640, 480)])]
    for format in ["mjpeg", "jpeg"] { #expect(outcome(["--format", format]) == "\(name) 640x480") }
    driver.end()
  }

  /// Another program's format is no reason to try others.
  @Test func aBusyDeviceIsNotTriedAgain() {
    driver.onCall = { request, _, answer in request == SCRIPTED_S_FMT ? EBUSY : answer() }
    #expect(outcome().contains("another program has it open") && driver.calls[SCRIPTED_S_FMT] == 1)
    driver.end()
  }

  /// Streams to nobody in particular, until the driver has no more frames.
  private func stream(
    _ pictures: [ScriptedDriver.Picture], _ words: [String]
  ) throws -> (statistics: StreamStatistics, end: Board.End?) {
    var receiver = try DatagramReceiver(at: SocketAddress(host: "127.0.0.1", port: 0), bufferBytes: 1 << 22)
    let thread = try CameraThread(
      StreamSettings(options(words, port: receiver.localAddress.port), camera: 0), number: 0)
    let mailbox = thread.mailbox
    driver.give(pictures) { mailbox.post(.stop) }
    thread.join()
    let packets = receiver.receive()
    let state = thread.board.read()
    #expect((packets > 0) == (state.statistics.sent > 0))
    return (state.statistics, state.end)
  }

  /// From one frame in 7 s to none in 136 years, and more than there are nanoseconds.
  @Test(
    arguments: [
      (2, 1), (7, 5), (3, 4), (1 << 31, 1), (.max, 1), (1, .max), (1, 1 << 31), (0, 0), (1, 0), (0, 1), (.max, .max),
    ] as [(UInt32, UInt32)], [[], ["--fps", "0.5"], ["--fps", "0.001"], ["--early", "on", "--pace", "on"]])
  func anyIntervalStreams(interval: (UInt32, UInt32), words: [String]) throws {
    driver.modes = [.init("MJPG", [(160, 128)], intervals: words.contains("--fps") ? [] : [interval])]
    driver.onCall = { request, argument, answer in
      let error = answer()
      if request == SCRIPTED_G_PARM || request == SCRIPTED_S_PARM {
        let parameters = argument.assumingMemoryBound(to: v4l2_streamparm.self)
        parameters.pointee.parm.capture.timeperframe = v4l2_fract(numerator: interval.0, denominator: interval.1)
      }
      return error
    }
    let jpeg = try TestJPEG.make()
    let (statistics, end) = try stream((0..<5).map { _ in .init(jpeg) }, words)
    guard case .stopped = end else {
      Issue.record("\(String(describing: end))")
      return
    }
    #expect(statistics.captured == 5 && statistics.sent == 5)
    driver.end()
  }

  /// A pixel of one colour, in each format's bytes.
  private static func planes(_ format: String, _ pixels: Int) -> [[UInt8]] {
    let (y, u, v): (UInt8, UInt8, UInt8) = (110, 90, 200)
    func fill(_ bytes: [UInt8], _ count: Int) -> [UInt8] { (0..<count).flatMap { _ in bytes } }
    let luma = fill([y], pixels)
    switch format {
    case "NV24": return [luma + fill([u, v], pixels)]
    case "NV42": return [luma + fill([v, u], pixels)]
    case "444P", "YU24": return [luma + fill([u], pixels) + fill([v], pixels)]
    case "YV24": return [luma + fill([v], pixels) + fill([u], pixels)]
    case "YM24": return [luma, fill([u], pixels), fill([v], pixels)]
    case "YM42": return [luma, fill([v], pixels), fill([u], pixels)]
    // Ten or twelve bits, of which the lower ones are not 0.
    default: return [fill([0x40, y], pixels) + fill([0, u, 0x40, v], pixels / 4)]
    }
  }

  @Test(arguments: ["NV24", "NV42", "444P", "YU24", "YV24", "YM24", "YM42", "P010", "P012"])
  func theColourOfAFormat(format: String) throws {
    let planes = Self.planes(format, 64 * 48)
    if planes.count > 1 {
      driver.capabilities = UInt32(V4L2_CAP_VIDEO_CAPTURE_MPLANE) | UInt32(V4L2_CAP_STREAMING)
    }
    driver.modes = [.init(format, [(64, 48)])]
    var picture = ScriptedDriver.Picture()
    picture.planes = planes
    driver.pictures = [picture]
    let settings = try StreamSettings(options(["--range", "as-is", "--quality", "95"]), camera: 0)
    var camera = try OpenCamera(settings.camera, settings)
    guard let frame = try camera.source.next() else { throw Failure("no frame") }
    let jpeg = try camera.encode(frame, repairs: false)
    var decoder = try JPEGDecoder()
    let pixels = try decoder.decode(jpeg.bytes).pixels
    // T.871, 6.2, of 110, 90, 200.
    let expected = [211, 72, 43]
    for (index, sample) in pixels.enumerated() where abs(Int(sample) - expected[index % 3]) > 3 {
      Issue.record("\(format): sample \(index) is \(sample), not \(expected[index % 3])")
      return
    }
    driver.end()
  }

  /// What is part of a camera of libcamera's is named, and is no camera.
  @Test func partsOfCamerasAreNotListed() throws {
    let part = ScriptedDriver()
    part.capabilities |= UInt32(V4L2_CAP_IO_MC)
    let list = try ListCommand(Arguments(["list"]))
    let (cameras, parts) = list.find([DeviceEntry(path: part.path), DeviceEntry(path: driver.path)])
    #expect(cameras.map(\.path) == [driver.path] && parts == [part.path])
    #expect(ListCommand.note(parts) == "part of a libcamera camera, use libcamera:0: \(part.path)")
    #expect(ListCommand.note([]) == nil)
    part.end()
    driver.end()
  }
}
