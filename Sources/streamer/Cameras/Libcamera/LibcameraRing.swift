import CLibcameraBridge
import LinuxIO
import V4L2Capture

/// A camera of libcamera's that streams into mapped buffers, which are lent frame by frame.
struct LibcameraRing: ~Copyable {
  private let lender: UnsafeMutablePointer<LibcameraLender>
  /// For epoll: readable when a frame may be done.
  let number: Int32
  /// The most bytes that a frame can have.
  let largest: Int
  /// For people: how many buffers there are, and where from.
  let description: String

  /// Allocates buffers, and starts. The camera is the ring's from now on.
  init(_ camera: consuming LibcameraCamera) throws(Failure) {
    var memory = lcb_memory()
    try camera.device.check(camera.device.functions.start(camera.device.handle, &memory))
    let heap = memory.heap.map { "of the heap \(String(cString: $0).printable), " }
    number = camera.device.functions.descriptor(camera.device.handle)
    largest = memory.bytes
    description = "\(heap ?? "")\(memory.count) buffers"
    lender = .allocate(capacity: 1)
    lender.initialize(to: LibcameraLender(camera))
  }

  deinit { LibcameraLender.end(lender) }

  /// Takes the next frame that is done.
  /// - Returns: nil where none is.
  func dequeue() throws(Failure) -> Frame? { try lender.pointee.dequeue(lender) }

  /// What the last frame's timestamp was.
  var timestampSource: TimestampSource? { lender.pointee.timestampSource }

  /// The pipeline's timestamps stand still, repeat or go back.
  var hasFaultyTimestamps: Bool { lender.pointee.times.isFaulty }
}

/// The camera and its buffers, at an address of its own: frames point to it without counting references. It goes when the
/// ring has ended and the last frame is back.
struct LibcameraLender: ~Copyable {
  private let device: LibcameraDevice
  private let isRaw: Bool
  private var numbers = FrameNumbers()
  private var lent = 0
  private var hasEnded = false
  private(set) var timestampSource: TimestampSource?
  private(set) var times: FrameTimes

  init(_ camera: consuming LibcameraCamera) {
    times = FrameTimes(interval: camera.rate?.interval)
    isRaw = !PixelFormat.sendable.contains(camera.format.format)
    device = camera.device
  }

  @inline(__always)
  mutating func dequeue(_ address: UnsafeMutablePointer<LibcameraLender>) throws(Failure) -> Frame? {
    var frame = lcb_frame()
    let status = device.functions.take(device.handle, &frame)
    guard status > 0 else {
      if status == 0 { return nil }
      throw device.failure(status)
    }
    let now = Clock.monotonic
    let time = SensorTime(
      sensor: frame.sensor_time, buffer: frame.buffer_time, now: now, suspended: Clock.boot - now)
    let sequence = numbers.next(frame.sequence)
    let capturedAt = times.next(time.source == .unknown ? nil : time.nanoseconds, sequence: sequence, takenAt: now)
    timestampSource = times.isDrivers ? time.source : .unknown
    lent += 1
    let planes = (frame.planes.0, frame.planes.1, frame.planes.2)
    // A pipeline may leave it open what it filled (libcamera 0.4's virtual one): all of it, then.
    let isTold =
      !isRaw
      || planes.0.used + planes.1.used + planes.2.used > 0 && planes.0.used <= planes.0.room
        && planes.1.used <= planes.1.room && planes.2.used <= planes.2.room
    func bytes(_ plane: lcb_plane) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(
        start: plane.start, count: plane.start == nil ? 0 : isTold ? min(plane.used, plane.room) : plane.room)
    }
    return Frame(
      bytes: bytes(planes.0), sequence: sequence, timestamp: capturedAt, takenAt: now,
      isDamaged: frame.is_damaged, second: bytes(planes.1), third: bytes(planes.2), lender: address,
      index: frame.buffer
    ) { lender, index in
      LibcameraLender.takeBack(lender.assumingMemoryBound(to: LibcameraLender.self), index)
    }
  }

  private static func takeBack(_ lender: UnsafeMutablePointer<LibcameraLender>, _ index: UInt32) {
    lender.pointee.lent -= 1
    lender.pointee.device.functions.give_back(lender.pointee.device.handle, index)
    if lender.pointee.hasEnded { end(lender) }
  }

  /// Stops the camera; closes it as soon as no frame is lent.
  static func end(_ lender: UnsafeMutablePointer<LibcameraLender>) {
    if !lender.pointee.hasEnded {
      lender.pointee.hasEnded = true
      lender.pointee.device.functions.stop(lender.pointee.device.handle)
    }
    guard lender.pointee.lent == 0 else { return }
    lender.deinitialize(count: 1)
    lender.deallocate()
  }
}
