import CLinux
import CScriptedDriver
import Glibc
import JPEGCodec
import LinuxIO
import ScriptedDriver
import V4L2Capture

/// A V4L2 driver that answers as the input says: its modes and controls, the results of its ioctls, what it writes into their
/// structures, its frames. The camera is listed, set, and streamed until the driver has no frame any more. Whatever it does,
/// nothing traps, nothing is read past its end, and all that was mapped is unmapped.
@_cdecl("fuzz_capture")
public func fuzzCapture(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = FuzzInput(UnsafeRawBufferPointer(start: start, count: count))
  let driver = ScriptedDriver()
  let words = input.words(driver.path)
  input.describe(driver)
  driver.onCall = { request, argument, answer in input.answer(request, argument, answer) }
  if let list = try? ListCommand(Arguments(["list", "--log-level", "error"])) {
    _ = list.find([DeviceEntry(path: driver.path)])
  }
  if let options = try? StreamOptions(Arguments(words)), let settings = try? StreamSettings(options, camera: 0),
    let thread = try? CameraThread(settings, number: 0)
  {
    let mailbox = thread.mailbox
    input.stop = { mailbox.post(.stop) }
    driver.give(input.pictures) { mailbox.post(.stop) }
    thread.join()
    precondition(thread.board.read().end != nil)
  }
  precondition(driver.mappedCount == 0, "a buffer is still mapped")
  driver.end()
  return 0
}

/// The input, byte after byte; zeros after its end.
private final class FuzzInput {
  private let bytes: [UInt8]
  private var place = 0
  private var dequeues = 0
  private(set) var pictures: [ScriptedDriver.Picture] = []
  /// Ends a stream that would go on without end.
  var stop: (() -> Void)?

  private static let jpeg: [UInt8] = {
    let picture = TestPicture(width: 64, height: 48)
    picture.draw(frame: 7)
    return (try? picture.planes.jpeg(quality: 80)) ?? []
  }()

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = Array(bytes) }

  private func next() -> UInt8 {
    guard place < bytes.count else { return 0 }
    defer { place += 1 }
    return bytes[place]
  }

  private func pick<Element>(_ elements: [Element]) -> Element { elements[Int(next()) % elements.count] }

  private func number() -> UInt32 {
    let value = pick([0, 1, 2, 16, 30, 48, 64, 640, 65_535, 65_536, 1 << 31, UInt32.max])
    return next() & 1 == 0 ? value : value &+ UInt32(next())
  }

  func words(_ path: String) -> [String] {
    [path, "--to", "127.0.0.1:9", "--log-level", "error"]
      + pick([[], ["--early", "on"], ["--early", "off"], ["--pace", "on"], ["--pace", "80"]])
      + pick([[], ["--fps", "0.5"], ["--fps", "30"], ["--fps", "10000"], ["--fps", "0.001"]])
      + pick([[], ["--size", "64x48"], ["--format", "mjpeg"], ["--format", "nv24"], ["--format", "yuyv"]])
      + pick([[], ["--set", "control=1"], ["--set", "control=on"], ["--flip", "hv"], ["--bad-frames", "repair"]])
      + pick([[], ["--keep-all"], ["--bitrate", "1"], ["--buffers", "32"], ["--subsampling", "422"]])
  }

  private static let formats = [
    "MJPG", "JPEG", "YUYV", "NV12", "NV24", "YU12", "P010", "GREY", "RGB3", "YM12", "YM24", "NM12", "444P", "H264",
    "\0\0\0\0",
  ]

  func describe(_ driver: ScriptedDriver) {
    let planes = [UInt32(V4L2_CAP_VIDEO_CAPTURE), UInt32(V4L2_CAP_VIDEO_CAPTURE_MPLANE)]
    driver.capabilities = UInt32(V4L2_CAP_STREAMING) | pick(planes + planes + [number()])
    driver.modes = (0..<Int(next() % 4)).map { _ in
      .init(
        pick(Self.formats), (0..<Int(next() % 3)).map { _ in pick([(64, 48), (65, 47), (number(), number())]) },
        intervals: (0..<Int(next() % 3)).map { _ in pick([(1, 30), (number(), number())]) })
    }
    for id in 0..<UInt32(next() % 4) {
      let type = v4l2_ctrl_type(UInt32(next() % 10))
      driver.add(
        "Control", id: id + 1, type: type, Int64(bitPattern: UInt64(number()) << 32) >> Int64(next() % 64),
        Int64(bitPattern: UInt64(number()) << 32 | 7) >> Int64(next() % 64), step: UInt64(number()), initial: 1,
        flags: number(), menu: [0: "zero", 1: "one", 1030: "17"])
    }
    driver.mostBuffers = pick([4, 2, 1, 32, UInt32(next())])
    pictures = (0..<Int(next() % 12)).map { _ in picture() }
  }

  private func picture() -> ScriptedDriver.Picture {
    var picture = ScriptedDriver.Picture()
    let size = pick([0, 1, 64 * 48, 64 * 48 * 2, 64 * 48 * 3, Int(next()) * 64])
    switch next() % 4 {
    case 0: picture.planes = [Self.jpeg]
    case 1: picture.planes = [Self.jpeg.dropLast(Int(next()))]
    default: picture.planes = (0..<3).map { _ in [UInt8](repeating: next(), count: size) }
    }
    picture.flags = pick([UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC), number(), UInt32(V4L2_BUF_FLAG_ERROR)])
    if next() & 3 == 0 { picture.timestamp = Int64(bitPattern: UInt64(number()) << UInt64(next() % 33)) }
    if next() & 3 == 0 { picture.sequence = number() }
    return picture
  }

  /// The driver's own answer, mostly; or an error; or a structure with other bytes than it should have.
  func answer(_ request: UInt, _ argument: UnsafeMutableRawPointer, _ answer: () -> Int32) -> Int32 {
    if request == SCRIPTED_DQBUF {
      dequeues += 1
      if dequeues > 40 { stop?() }
    }
    switch next() {
    case 0..<200: return answer()
    case 200..<214: return pick([EINVAL, EBUSY, ENODEV, ENOTTY, EAGAIN, ENOSPC, EPERM, ERANGE, EINVAL, EIO])
    default: break
    }
    let buffer = argument.assumingMemoryBound(to: v4l2_buffer.self)
    let isBuffer = [SCRIPTED_QUERYBUF, SCRIPTED_DQBUF].contains(request)
    let planes = isBuffer && buffer.pointee.length == UInt32(VIDEO_MAX_PLANES) ? buffer.pointee.m.planes : nil
    let error = answer()
    distort(argument, scripted_size(request))
    if let planes, next() & 1 == 0 { distort(planes, 3 * MemoryLayout<v4l2_plane>.stride) }
    if request == SCRIPTED_S_FMT { bound(argument.assumingMemoryBound(to: v4l2_format.self)) }
    return error
  }

  private func distort(_ argument: UnsafeMutableRawPointer, _ size: Int) {
    for _ in 0...next() % 4 where size > 0 {
      // Structures' first words matter most.
      let offset = (Int(next()) % 64 * 4 + Int(next() & 3)) % size
      argument.storeBytes(of: pick([0, 1, 0x7F, 0x80, 0xFF, next()]), toByteOffset: offset, as: UInt8.self)
    }
  }

  /// Pictures that are encoded are small, so that this is quick; libv4lconvert is not tried here.
  private func bound(_ format: UnsafeMutablePointer<v4l2_format>) {
    // Both kinds of formats begin with width, height and pixel format.
    let area = UInt64(format.pointee.fmt.pix.width) * UInt64(format.pointee.fmt.pix.height)
    if area > 1 << 16, area <= 1 << 28 { format.pointee.fmt.pix.width = .max }
    let given = PixelFormat(rawValue: format.pointee.fmt.pix.pixelformat)
    if PixelFormat.convertible.contains(given) { format.pointee.fmt.pix.pixelformat = 0 }
  }
}
