import Glibc
import LinuxIO
import Testing

@testable import V4L2Capture

/// What needs a driver: run in the camera lab, on devices of vivid's that the environment names. Of vivid's two, one has
/// buffers of one plane, the other of several.
@Suite(.serialized) struct DeviceTests {
  static let variables = ["STREAMER_SINGLE", "STREAMER_MULTI"]
  private static let yuyv = PixelFormat(rawValue: 0x5659_5559)

  private func open(_ variable: String) throws -> Device {
    let path = try #require(getenv(variable).map { String(cString: $0) }, "\(variable) names no device")
    return try Device(opening: path)
  }

  /// A small mode, running.
  private func start(_ variable: String, buffers: Int = 4) throws -> BufferRing {
    let device = try open(variable)
    #expect(device.isMultiPlanar == (variable == "STREAMER_MULTI"))
    let request = ModeRequest(format: Self.yuyv, size: FrameSize(320, 180))
    let (format, rate) = try device.set(try request.choose(from: device.modes()))
    #expect(format.format == Self.yuyv && format.size == FrameSize(320, 180) && rate != nil)
    let ring = try BufferRing(device, buffers: buffers)
    #expect(ring.largest >= Int(format.imageBytes))
    return ring
  }

  /// The next frame, waited for.
  private func next(_ ring: borrowing BufferRing, _ epoll: borrowing Epoll) throws -> Frame {
    #expect(epoll.wait(milliseconds: 2000) == 1)
    guard let frame = try ring.dequeue() else { throw NoFrame() }
    return frame
  }

  private struct NoFrame: Error {}

  private func sum(_ frame: borrowing Frame) -> Int { frame.bytes.reduce(0) { $0 &* 31 &+ Int($1) } }

  @Test(arguments: variables) func framesComeOneAfterTheOther(variable: String) throws {
    let ring = try start(variable)
    #expect(ring.count == 4)
    let epoll = try Epoll()
    try epoll.add(ring.number, .readable, token: 0)
    var sequence: UInt32?
    var time: Int64 = 0
    for _ in 0..<20 {
      let frame = try next(ring, epoll)
      // YUYV has two bytes a pixel; black is not all zeros.
      let (bytes, isDamaged, number, stamp) = (frame.bytes, frame.isDamaged, frame.sequence, frame.timestamp)
      #expect(bytes.count == 320 * 180 * 2 && bytes.contains { $0 != 0 } && !isDamaged)
      // vivid counts by the time: two frames that come too soon after each other have one number.
      if let sequence { #expect(number >= sequence) }
      sequence = number
      #expect(stamp > time && abs(Clock.monotonic - stamp) < 2_000_000_000)
      time = stamp
    }
    #expect(ring.timestampSource != .unknown)
  }

  /// A frame that is kept is not overwritten; more than one may be; all that come back are filled again.
  @Test(arguments: variables) func framesAreLeases(variable: String) throws {
    let ring = try start(variable, buffers: 3)
    let epoll = try Epoll()
    try epoll.add(ring.number, .readable, token: 0)
    let kept = try next(ring, epoll)
    let address = kept.bytes.baseAddress
    let before = sum(kept)
    for _ in 0..<10 {
      let frame = try next(ring, epoll)
      let isOther = frame.bytes.baseAddress != address
      #expect(isOther)
    }
    let after = sum(kept)
    #expect(after == before)
  }

  /// A frame may outlive its ring: its memory goes with the last of the two, and the device is free then.
  @Test(arguments: variables) func aFrameMayOutliveItsRing(variable: String) throws {
    func lend() throws -> Frame {
      let ring = try start(variable)
      let epoll = try Epoll()
      try epoll.add(ring.number, .readable, token: 0)
      return try next(ring, epoll)
    }
    do {
      let frame = try lend()
      let isThere = sum(frame) != 0
      #expect(isThere)
    }
    for _ in 0..<3 { _ = try start(variable) }
  }

  @Test(arguments: variables) func aDeviceInUseIsBusy(variable: String) throws {
    let ring = try start(variable)
    do throws(CaptureError) {
      let second: Device
      do { second = try open(variable) } catch { throw CaptureError("second", "\(error)") }
      _ = try BufferRing(second, buffers: 4)
      Issue.record("two rings on one device")
    } catch {
      #expect(error.cause?.errno == .busy && error.description.contains("another program has it open"))
    }
    #expect(ring.count == 4)
  }

  @Test(arguments: variables) func nothingIsLeftOpen(variable: String) throws {
    func descriptors() throws -> Int { try File.names(in: "/proc/self/fd").count }
    let before = try descriptors()
    for _ in 0..<3 { _ = try start(variable) }
    #expect(try descriptors() == before)
  }
}
