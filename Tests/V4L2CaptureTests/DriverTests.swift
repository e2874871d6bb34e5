import CScriptedDriver
import Glibc
import LinuxIO
import ScriptedDriver
import Testing

@testable import V4L2Capture

/// Devices, their modes and buffers with a driver that the test scripts.
@Suite struct DriverTests {
  private let driver = ScriptedDriver([
    .init("MJPG", [(640, 480), (1280, 720)], intervals: [(1, 30), (1, 15)]), .init("YUYV", [(640, 480)]),
  ])

  /// Opens the driver, and forgets it at the end. For Swift 6.0 a closure that consumes the device must give its type.
  private func withDevice(_ body: (consuming Device) throws -> Void) throws {
    defer { driver.end() }
    try body(try Device(opening: driver.path))
  }

  private func reason(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }

  /// Sets a mode and streams.
  private func withRing(
    _ choice: ModeChoice, buffers: Int, _ body: (borrowing BufferRing) throws -> Void = { _ in }
  ) throws {
    let device = try Device(opening: driver.path)
    _ = try device.set(choice)
    try body(try BufferRing(device, buffers: buffers))
  }

  private let mjpeg = ModeChoice(format: .mjpeg, size: FrameSize(640, 480))

  @Test func aGoodDriverStreams() throws {
    driver.card = "A camera\u{1B}[0m"
    driver.pictures = [.init([1, 2, 3]), .init([4, 5]), .init([6])]
    try withDevice { (device: consuming Device) in
      #expect(device.driver == "scripted" && !device.isMultiPlanar)
      #expect(
        device.modes().map(\.description) == [
          "MJPG 640x480 at 30, 15 fps", "MJPG 1280x720 at 30, 15 fps", "YUYV 640x480 at 30 fps",
        ])
      let (format, rate) = try device.set(mjpeg)
      #expect(format.format == .mjpeg && format.size == FrameSize(640, 480) && rate == FrameRate(30))
      let ring = try BufferRing(device, buffers: 4)
      let epoll = try Epoll()
      try epoll.add(ring.number, .readable, token: 0)
      var frames: [[UInt8]] = []
      while epoll.wait(milliseconds: 100) > 0 {
        guard let frame = try ring.dequeue() else { continue }
        frames.append(Array(frame.bytes))
      }
      #expect(frames == [[1, 2, 3], [4, 5], [6]] && driver.queuedCount == 4)
    }
    #expect(throws: CaptureError.self) { _ = try Device(opening: driver.path) }
  }

  @Test(
    arguments: [
      (0, 10), (5, 1), (2000, 2010), (1025, 1025), (-5, 3), (Int64.min, Int64.max), (1 << 31, 1 << 33),
      (Int64(UInt32.max), Int64(UInt32.max)), (Int64.max, Int64.max), (Int64.min, -1),
    ] as [(Int64, Int64)]) func aMenuHasAnyRange(range: (Int64, Int64)) throws
  {
    driver.add(
      "Menu", id: 1, type: V4L2_CTRL_TYPE_MENU, range.0, range.1, menu: [2000: "one", 2005: "two", 1025: "three"])
    driver.add("Next", id: 2, type: V4L2_CTRL_TYPE_INTEGER, 0, 9)
    try withDevice { device in
      let controls = device.controls()
      #expect(controls.map(\.name) == ["menu", "next"])
      let expected: [Int64] = range == (2000, 2010) ? [2000, 2005] : range == (1025, 1025) ? [1025] : []
      #expect(controls[0].choices.map(\.index) == expected)
    }
  }

  /// A name of 32 bytes, after which there is no zero.
  @Test func aMenusNameEndsWithItsRoom() throws {
    driver.add("Menu", id: 1, type: V4L2_CTRL_TYPE_MENU, 0, 0, menu: [0: "x"])
    driver.onCall = { request, argument, answer in
      guard request == SCRIPTED_QUERYMENU else { return answer() }
      memset(argument + 8, 65, scripted_size(request) - 8)
      return 0
    }
    try withDevice { device in
      #expect(device.controls()[0].choices.map(\.name) == [String(repeating: "A", count: 32)])
    }
  }

  /// Intervals that no camera has: 0, of 2^31 and more seconds, of 2^-32 seconds.
  @Test(
    arguments: [
      (0, 0), (0, 1), (1, 0), (.max, 1), (1, .max), (.max, .max), (1 << 31, 1), (1, 1 << 31), (2, 1), (7, 5),
    ] as [(UInt32, UInt32)]) func anInterval(interval: (UInt32, UInt32)) throws
  {
    for type in [V4L2_FRMIVAL_TYPE_DISCRETE, V4L2_FRMIVAL_TYPE_CONTINUOUS, V4L2_FRMIVAL_TYPE_STEPWISE] {
      driver.onCall = { request, argument, answer in
        let error = answer()
        guard request == SCRIPTED_ENUM_FRAMEINTERVALS else { return error }
        let entry = argument.assumingMemoryBound(to: v4l2_frmivalenum.self)
        entry.pointee.type = type.rawValue
        let fraction = v4l2_fract(numerator: interval.0, denominator: interval.1)
        entry.pointee.stepwise = v4l2_frmival_stepwise(
          min: fraction, max: v4l2_fract(numerator: 1, denominator: 30), step: fraction)
        return error
      }
      let device = try Device(opening: driver.path)
      let choices = ModeRequest().choices(from: device.modes())
      #expect(
        choices.count == 3
          && choices.allSatisfy { (100_000...1_000_000_000_000).contains($0.rate?.interval ?? 100_000) })
    }
    driver.end()
  }

  /// Sizes of one entry, and ranges whose ends are in the wrong order, too large, or 0.
  @Test(
    arguments: [
      (0, 0, 0), (1, 0, 0), (0, 640, 1), (.max, .max, 1), (640, 480, 0), (1, .max, .max), (65_536, 65_536, 1),
      (2, 65_535, 2), (65_535, 65_535, 1), (16, 4096, .max),
    ] as [(UInt32, UInt32, UInt32)]) func aSize(range: (UInt32, UInt32, UInt32)) throws
  {
    for type in [V4L2_FRMSIZE_TYPE_DISCRETE, V4L2_FRMSIZE_TYPE_CONTINUOUS, V4L2_FRMSIZE_TYPE_STEPWISE] {
      driver.onCall = { request, argument, answer in
        let error = answer()
        guard request == SCRIPTED_ENUM_FRAMESIZES else { return error }
        let entry = argument.assumingMemoryBound(to: v4l2_frmsizeenum.self)
        entry.pointee.type = type.rawValue
        entry.pointee.stepwise = v4l2_frmsize_stepwise(
          min_width: range.0, max_width: range.1, step_width: range.2, min_height: range.0, max_height: range.1,
          step_height: range.2)
        return error
      }
      let device = try Device(opening: driver.path)
      for request in [ModeRequest(), ModeRequest(size: FrameSize(4096, 4096))] {
        for choice in request.choices(from: device.modes()) {
          #expect(choice.size.isPossible)
          let format = Format(
            PixelFormat("BA81"), choice.size, imageBytes: 0, strides: [],
            colours: Colorimetry(.bt601, isFullRange: true))
          #expect(FormatConverter.output(of: format).imageBytes > 0)
        }
      }
    }
    driver.end()
  }

  @Test(arguments: [(0, 0), (.max, 480), (65_536, 1), (60_000, 60_000)] as [(UInt32, UInt32)])
  func aSizeThatNoPictureHasIsRefused(size: (UInt32, UInt32)) throws {
    driver.onCall = { [driver] request, argument, answer in
      let error = answer()
      if request == SCRIPTED_S_FMT { driver.fill(argument, "MJPG", size.0, size.1) }
      return error
    }
    try withDevice { (device: consuming Device) in
      let device = consume device
      let text = reason { _ = try device.set(mjpeg) }
      #expect(text.contains("set a size of \(size.0)x\(size.1)"))
    }
  }

  /// A driver is asked for progressive video; what else makes a picture is taken, and fields apart are refused by name.
  @Test(
    arguments: [
      ("YUYV", V4L2_FIELD_NONE, nil), ("YUYV", V4L2_FIELD_INTERLACED, nil), ("YUYV", V4L2_FIELD_INTERLACED_BT, nil),
      ("YUYV", V4L2_FIELD_ANY, nil), ("YUYV", V4L2_FIELD_SEQ_TB, "SEQ_TB"), ("YUYV", V4L2_FIELD_SEQ_BT, "SEQ_BT"),
      ("YUYV", V4L2_FIELD_ALTERNATE, "ALTERNATE"), ("MJPG", V4L2_FIELD_SEQ_TB, nil),
      ("MJPG", V4L2_FIELD_ALTERNATE, "ALTERNATE"),
    ] as [(StaticString, v4l2_field, String?)])
  func fieldsApartAreRefused(format: StaticString, order: v4l2_field, name: String?) throws {
    let driver = driver
    driver.onCall = { request, argument, answer in
      guard request == SCRIPTED_S_FMT else { return answer() }
      let format = argument.assumingMemoryBound(to: v4l2_format.self)
      if format.pointee.fmt.pix.field != V4L2_FIELD_NONE.rawValue { return EINVAL }
      let error = answer()
      format.pointee.fmt.pix.field = order.rawValue
      return error
    }
    try withDevice { (device: consuming Device) in
      let device = consume device
      let choice = ModeChoice(format: PixelFormat(format), size: FrameSize(640, 480), rate: nil)
      let text = reason { _ = try device.set(choice) }
      #expect(name.map { text.contains($0) } ?? text.isEmpty, "\(text)")
    }
    driver.end()
  }

  /// Two tries, and no more, for what passes; one for what does not.
  @Test(arguments: [SCRIPTED_S_FMT, SCRIPTED_STREAMON], [EPROTO, EPIPE, ETIMEDOUT, EIO, EINVAL, ENOSPC, ENODEV])
  func aSecondTryHelps(request: UInt, errno: Int32) throws {
    // A driver that refuses progressive video is asked for what it has.
    let passes =
      [EPROTO, EPIPE, ETIMEDOUT, EIO].contains(errno) || (request == SCRIPTED_S_FMT && errno == EINVAL)
    for failures in 1...2 {
      driver.onCall = { [driver] each, _, answer in
        each == request && driver.calls[each, default: 0] <= failures ? errno : answer()
      }
      let failed = reason { try withRing(mjpeg, buffers: 2) }
      let calls = driver.calls[request]
      #expect(failed.isEmpty == (passes && failures == 1), "\(failed)")
      #expect(calls == (passes ? 2 : 1))
      if !failed.isEmpty { #expect(failed.contains(Errno(rawValue: errno).description)) }
      driver.reset()
    }
    driver.end()
  }

  @Test func aControlThatIsBusyIsNotAnotherProgram() throws {
    driver.add("Gain", id: 1, type: V4L2_CTRL_TYPE_INTEGER, 0, 9)
    driver.onCall = { request, _, answer in request == SCRIPTED_S_EXT_CTRLS ? EBUSY : answer() }
    try withDevice { (device: consuming Device) in
      let device = consume device
      let control = device.controls()[0]
      let text = reason { _ = try device.set(control, to: 3) }
      #expect(text.contains("gain=3") && text.contains("(EBUSY); it cannot be changed now"))
      #expect(!text.contains("another program"))
    }
  }

  private func multiPlanar() {
    driver.capabilities = UInt32(V4L2_CAP_VIDEO_CAPTURE_MPLANE) | UInt32(V4L2_CAP_STREAMING)
    driver.modes = [.init("YM12", [(64, 48)])]
  }

  private let planes = ModeChoice(format: PixelFormat("YM12"), size: FrameSize(64, 48))

  @Test func aFrameHasThreeMemories() throws {
    multiPlanar()
    driver.pictures = [.init([1, 2, 3], [4, 5], [6])]
    try withDevice { (device: consuming Device) in
      let device = consume device
      _ = try device.set(planes)
      let ring = try BufferRing(device, buffers: 3)
      guard let frame = try ring.dequeue() else { return #expect(Bool(false), "no frame") }
      let bytes = [Array(frame.bytes), Array(frame.second), Array(frame.third)]
      #expect(bytes == [[1, 2, 3], [4, 5], [6]])
    }
  }

  @Test(arguments: [[1, 3, 3], [3, 1, 3], [2, 3, 1], [3, 3, 0], [0, 3, 3], [3, 4, 3], [9, 9, 9]] as [[UInt32]])
  func buffersOfDifferentKindsAreRefused(counts: [UInt32]) throws {
    multiPlanar()
    driver.mostBuffers = 3
    driver.onCall = { request, argument, answer in
      let error = answer()
      if request == SCRIPTED_QUERYBUF {
        let buffer = argument.assumingMemoryBound(to: v4l2_buffer.self)
        buffer.pointee.length = counts[Int(buffer.pointee.index)]
      }
      return error
    }
    let text = reason { try withRing(planes, buffers: 3) }
    let isNamed = counts.allSatisfy { (1...3).contains($0) }
    #expect(text.contains(isNamed ? "buffers of different kinds" : "memories each"), "\(text)")
    driver.end()
  }

  /// Counts of buffers that no driver gives; and a buffer's number that is none.
  @Test func absurdCountsOfBuffers() throws {
    for count in [0, 1, 33, 1 << 31, UInt32.max] {
      driver.onCall = { request, argument, answer in
        if request == SCRIPTED_REQBUFS {
          argument.assumingMemoryBound(to: v4l2_requestbuffers.self).pointee.count = count
          return 0
        }
        if request == SCRIPTED_QUERYBUF {
          argument.assumingMemoryBound(to: v4l2_buffer.self).pointee.length = 4096
          return 0
        }
        return request == SCRIPTED_QBUF ? 0 : answer()
      }
      let text = reason { try withRing(mjpeg, buffers: 4) { ring in #expect(ring.count == Int(min(count, 32))) } }
      driver.reset()
      #expect(text.contains("needs two") == (count < 2), "\(text)")
    }
    driver.end()
  }

  @Test(arguments: [
    UInt32(V4L2_CAP_VIDEO_CAPTURE) | UInt32(V4L2_CAP_IO_MC),
    UInt32(V4L2_CAP_VIDEO_CAPTURE_MPLANE) | UInt32(V4L2_CAP_IO_MC),
    UInt32(V4L2_CAP_VIDEO_M2M_MPLANE), UInt32(V4L2_CAP_VIDEO_M2M),
    UInt32(V4L2_CAP_VIDEO_CAPTURE) | UInt32(V4L2_CAP_VIDEO_OUTPUT) | UInt32(V4L2_CAP_VIDEO_M2M),
  ]) func aNodeOfTheMediaController(capabilities: UInt32) {
    driver.capabilities = capabilities | UInt32(V4L2_CAP_STREAMING)
    let text = reason { _ = try Device(opening: driver.path) }
    #expect(text.hasPrefix("\(driver.path): it is part of a libcamera camera: use libcamera:0"))
    driver.end()
  }

  @Test(arguments: ["bcm2835-isp", "pispbe"]) func aSignalProcessor(name: String) {
    driver.driver = name
    #expect(reason { _ = try Device(opening: driver.path) }.contains("use libcamera:0"))
    driver.end()
  }
}
