import CLinux
import Glibc
import LinuxIO

/// A device that streams into buffers of its own, which are mapped here and lent frame by frame.
public struct BufferRing: ~Copyable {
  private let lender: UnsafeMutablePointer<Lender>
  /// How many buffers the driver gave.
  public let count: Int
  /// The largest buffer, in bytes.
  public let largest: Int

  /// Asks for buffers (VIDIOC_REQBUFS), maps them (QUERYBUF, mmap), hands them to the driver (QBUF) and starts it
  /// (STREAMON). The device is the ring's from now on.
  /// - Parameters:
  ///   - isWatched: `look` is wanted: buffers are wiped before the driver gets them.
  ///   - interval: between two frames, in nanoseconds, where the driver says it.
  public init(
    _ device: consuming Device, buffers wanted: Int, isWatched: Bool = false, interval: Int64? = nil
  ) throws(CaptureError) {
    var request = v4l2_requestbuffers()
    request.count = UInt32(wanted)
    request.type = device.bufferType
    request.memory = V4L2_MEMORY_MMAP.rawValue
    try device.request("VIDIOC_REQBUFS", CLINUX_VIDIOC_REQBUFS, &request)
    guard request.count >= 2 else {
      throw CaptureError(device.path, "its driver gives only \(request.count) buffer; streaming needs two")
    }
    // A driver that gives more is used without the others.
    let count = Int(min(request.count, Self.mostBuffers))
    // From here on the lender's end gives back what was set up so far.
    let lender = UnsafeMutablePointer<Lender>.allocate(capacity: 1)
    lender.initialize(to: Lender(device, capacity: count, isWatched: isWatched, interval: interval))
    do throws(CaptureError) {
      try lender.pointee.start()
    } catch {
      Lender.end(lender)
      throw error
    }
    self.lender = lender
    self.count = count
    largest = lender.pointee.largest
  }

  deinit { Lender.end(lender) }

  /// VIDEO_MAX_FRAME.
  private static let mostBuffers: UInt32 = 32

  /// For epoll: readable when a frame is done.
  public var number: Int32 { lender.pointee.device.number }

  /// Takes the next frame that is done (VIDIOC_DQBUF).
  /// - Returns: nil where none is.
  /// - Throws: what the driver says, also where it did not take a frame before back (VIDIOC_QBUF).
  public func dequeue() throws(CaptureError) -> Frame? { try lender.pointee.dequeue(lender) }

  /// Stops the device and starts it again with the same buffers (VIDIOC_STREAMOFF, QBUF, STREAMON), which wakes some cameras
  /// that stall. Frame numbers begin again.
  /// - Throws: also where a frame is still lent.
  public func restart() throws(CaptureError) { try lender.pointee.restart() }

  /// The device whose buffers these are.
  public func withDevice<Result: ~Copyable, Failure: Error>(
    _ body: (borrowing Device) throws(Failure) -> Result
  ) throws(Failure) -> Result { try body(lender.pointee.device) }

  /// Another program fills the buffers, in its own order: a loopback device.
  public var isFed: Bool { lender.pointee.isFed }

  /// Buffers are wiped, so that `look` can tell what has arrived.
  public var isWatched: Bool { lender.pointee.isWatched }

  /// Looks into the buffer that the driver fills now, or will fill next. Visits are to be further apart than a payload's
  /// copy takes, some microseconds.
  /// - Returns: nil where what is in it can't be known: it was not wiped, or the driver may have used it meanwhile.
  public func look() -> Arrived? { lender.pointee.look() }

  /// No longer wipes buffers: `look` finds nothing.
  public func stopWatching() { lender.pointee.stopWatching() }

  /// What the driver's timestamps are, as it flagged the last frame's.
  public var timestampSource: TimestampSource? { lender.pointee.timestampSource }

  /// The driver's timestamps stand still, repeat or go back.
  public var hasFaultyTimestamps: Bool { lender.pointee.hasFaultyTimestamps }
}

/// Which clock and which instant timestamps are of; a V4L2 driver says it (V4L2_BUF_FLAG_TIMESTAMP_*, TSTAMP_SRC_*).
public enum TimestampSource: Sendable, Equatable {
  /// CLOCK_MONOTONIC, the frame's first data (uvcvideo), or its start of exposure.
  case startOfExposure
  /// CLOCK_MONOTONIC, the frame's last data.
  case endOfFrame
  /// libcamera's SensorTimestamp: when the first line was exposed, as far as the camera's driver knows; of uvcvideo the
  /// frame's first data.
  case sensor
  /// libcamera's, of the buffer: whatever the driver's is.
  case buffer
  /// Another clock, or none: the time at which the frame was taken out is used.
  case unknown

  /// For programs.
  public var key: String {
    switch self {
    case .startOfExposure: "start_of_exposure"
    case .endOfFrame: "end_of_frame"
    case .sensor: "sensor"
    case .buffer: "buffer"
    case .unknown: "unknown"
    }
  }

  /// For people.
  public var text: String {
    switch self {
    case .startOfExposure: "the driver's, flagged as the start of exposure (uvcvideo: the first data's arrival)"
    case .endOfFrame: "the driver's, of the frame's end"
    case .sensor: "the sensor's by libcamera: the first line's exposure (uvcvideo: the first data's arrival)"
    case .buffer: "the driver's, as libcamera hands them on"
    case .unknown: "ours, since the driver's are of no known clock: they include its delay"
    }
  }

  init(flags: UInt32) {
    guard flags & UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK) == UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) else {
      self = .unknown
      return
    }
    let isStart = flags & UInt32(V4L2_BUF_FLAG_TSTAMP_SRC_MASK) == UInt32(V4L2_BUF_FLAG_TSTAMP_SRC_SOE)
    self = isStart ? .startOfExposure : .endOfFrame
  }
}

/// The device and its mapped buffers, at an address of its own: frames point to it without counting references. It
/// goes when the ring has ended and the last frame is back.
struct Lender: ~Copyable {
  let device: Device
  private let capacity: Int
  private var mapped = 0
  /// Memories of a buffer.
  private var planeCount = 1
  /// Of all buffers, those of a buffer behind each other.
  private let maps: UnsafeMutablePointer<MemoryMap>
  /// Scratch for the planes of one buffer.
  private let planes: UnsafeMutablePointer<v4l2_plane>
  private var lent = 0
  private var hasEnded = false
  private(set) var timestampSource: TimestampSource?
  private var times: FrameTimes
  var hasFaultyTimestamps: Bool { times.isFaulty }
  /// The buffers that the driver has, where they are watched.
  private var queue: BufferQueue?
  /// Another program fills the buffers, also while this one has them.
  private(set) var isFed: Bool
  /// Why the driver did not take a buffer back.
  private var refusal: Errno?

  init(_ device: consuming Device, capacity: Int, isWatched: Bool, interval: Int64?) {
    times = FrameTimes(interval: interval)
    // Buffers of several planes can begin anywhere.
    queue = isWatched && !device.isMultiPlanar && !device.isFed ? BufferQueue(capacity: capacity) : nil
    isFed = device.isFed
    self.device = device
    self.capacity = capacity
    maps = .allocate(capacity: capacity * Self.mostPlanes)
    planes = .allocate(capacity: Int(VIDEO_MAX_PLANES))
    planes.initialize(repeating: v4l2_plane(), count: Int(VIDEO_MAX_PLANES))
  }

  deinit {
    maps.deinitialize(count: mapped)
    maps.deallocate()
    planes.deallocate()
  }

  /// More than any format has that is known here.
  private static let mostPlanes = 3

  var largest: Int { (0..<mapped).reduce(0) { max($0, maps[$1].bytes.count) } }

  private func buffer(_ index: UInt32 = 0) -> v4l2_buffer {
    var buffer = v4l2_buffer()
    buffer.index = index
    buffer.type = device.bufferType
    buffer.memory = V4L2_MEMORY_MMAP.rawValue
    if device.isMultiPlanar {
      buffer.m.planes = planes
      buffer.length = UInt32(VIDEO_MAX_PLANES)
    }
    return buffer
  }

  mutating func start() throws(CaptureError) {
    for index in 0..<capacity {
      try map(UInt32(index))
      try enqueue(index)
    }
    try switchOn()
  }

  mutating func restart() throws(CaptureError) {
    guard lent == 0 else { throw CaptureError(device.path, "it cannot be restarted while a frame of it is being sent") }
    var type = device.bufferType
    try device.request("VIDIOC_STREAMOFF", CLINUX_VIDIOC_STREAMOFF, &type)
    // The driver has no buffer any more, and what it did not take is forgotten.
    refusal = nil
    if queue != nil { queue = BufferQueue(capacity: capacity) }
    for index in 0..<capacity { try enqueue(index) }
    try switchOn()
  }

  private mutating func enqueue(_ index: Int) throws(CaptureError) {
    var buffer = buffer(UInt32(index))
    let memory = bytes(index)
    queue?.append(index, memory)
    try device.request("VIDIOC_QBUF", CLINUX_VIDIOC_QBUF, &buffer)
  }

  private func switchOn() throws(CaptureError) {
    var type = device.bufferType
    do throws(CaptureError) {
      try device.requestTwice("VIDIOC_STREAMON", CLINUX_VIDIOC_STREAMON, &type)
    } catch {
      guard let cause = error.cause, cause.errno == .noSpace else { throw error }
      throw CaptureError(
        cause.withRemedy(
          "the USB bus has not enough bandwidth left for this mode: take a smaller --size or --fps, plug the camera"
            + " into another USB controller (a USB 3 port), away from other cameras and hubs, or load uvcvideo with"
            + " quirks=0x80 (modprobe uvcvideo quirks=0x80), which reserves no more than the mode needs"))
    }
  }

  private mutating func map(_ index: UInt32) throws(CaptureError) {
    var buffer = buffer(index)
    try device.request("VIDIOC_QUERYBUF", CLINUX_VIDIOC_QUERYBUF, &buffer)
    // Nobody has queued it yet. v4l2loopback says so of every buffer: its reader's QBUF hands over nothing, and wiping a
    // buffer would spoil a picture that is there already. With exclusive_caps=1 nothing else tells that it is fed.
    if buffer.flags & UInt32(V4L2_BUF_FLAG_QUEUED) != 0 {
      isFed = true
      queue = nil
    }
    guard device.isMultiPlanar else {
      return try map(offset: buffer.m.offset, length: buffer.length)
    }
    let count = Int(buffer.length)
    guard (1...Self.mostPlanes).contains(count) else {
      throw CaptureError(device.path, "its pictures are in \(count) memories each; one to three can be read")
    }
    guard index == 0 || count == planeCount else {
      throw CaptureError(
        device.path,
        "its driver gives buffers of different kinds, which is the driver's fault: buffer 0 has \(planeCount) planes,"
          + " buffer \(index) has \(count)")
    }
    planeCount = count
    for plane in 0..<planeCount { try map(offset: planes[plane].m.mem_offset, length: planes[plane].length) }
  }

  private mutating func map(offset: UInt32, length: UInt32) throws(CaptureError) {
    do throws(SystemCallError) {
      let map = try MemoryMap(device.descriptor, offset: Int(offset), length: Int(length), name: device.path)
      (maps + mapped).initialize(to: map)
      mapped += 1
    } catch {
      throw CaptureError(error)
    }
  }

  /// A buffer's memory, or one of its memories.
  private func bytes(_ index: Int, plane: Int = 0) -> UnsafeMutableRawBufferPointer {
    maps[index * planeCount + plane].bytes
  }

  @inline(__always)
  mutating func dequeue(_ address: UnsafeMutablePointer<Lender>) throws(CaptureError) -> Frame? {
    if let refusal {
      throw CaptureError(SystemCallError("VIDIOC_QBUF", on: device.path, refusal, remedy: Device.remedy(refusal)))
    }
    var buffer = buffer()
    if let errno = device.descriptor.control(CLINUX_VIDIOC_DQBUF, &buffer) {
      if errno == .wouldBlock { return nil }
      throw CaptureError(SystemCallError("VIDIOC_DQBUF", on: device.path, errno, remedy: Device.remedy(errno)))
    }
    let index = Int(buffer.index)
    guard index < capacity else {
      throw CaptureError(device.path, "its driver gave buffer \(index) of \(capacity)")
    }
    let now = Clock.monotonic
    let source = TimestampSource(flags: buffer.flags)
    let time = times.next(
      source == .unknown ? nil : buffer.timestamp.nanoseconds, sequence: buffer.sequence, takenAt: now)
    timestampSource = times.isDrivers ? source : .unknown
    queue?.remove(index, sequence: buffer.sequence, byteCount: Int(buffer.bytesused))
    lent += 1
    return Frame(
      bytes: used(buffer, plane: 0), sequence: buffer.sequence,
      timestamp: time, takenAt: now,
      isDamaged: buffer.flags & UInt32(V4L2_BUF_FLAG_ERROR) != 0, second: used(buffer, plane: 1),
      third: used(buffer, plane: 2), lender: address, index: buffer.index
    ) { lender, index in
      Lender.takeBack(lender.assumingMemoryBound(to: Lender.self), index)
    }
  }

  var isWatched: Bool { queue != nil }

  func look() -> Arrived? { queue?.look() }

  mutating func stopWatching() { queue = nil }

  /// The part of a buffer's memory that the driver filled, whatever it says.
  private func used(_ buffer: v4l2_buffer, plane: Int) -> UnsafeRawBufferPointer {
    guard plane < planeCount else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let bytes = bytes(Int(buffer.index), plane: plane)
    let start = device.isMultiPlanar ? min(Int(planes[plane].data_offset), bytes.count) : 0
    let end = min(Int(device.isMultiPlanar ? planes[plane].bytesused : buffer.bytesused), bytes.count)
    return UnsafeRawBufferPointer(rebasing: bytes[start..<max(start, end)])
  }

  /// VIDIOC_QBUF, or the end of it all.
  private static func takeBack(_ lender: UnsafeMutablePointer<Lender>, _ index: UInt32) {
    lender.pointee.lent -= 1
    if lender.pointee.hasEnded {
      end(lender)
      return
    }
    let memory = lender.pointee.bytes(Int(index))
    lender.pointee.queue?.append(Int(index), memory)
    var buffer = lender.pointee.buffer(index)
    if let errno = lender.pointee.device.descriptor.control(CLINUX_VIDIOC_QBUF, &buffer) {
      lender.pointee.refusal = errno
    }
  }

  /// Stops the device (VIDIOC_STREAMOFF); unmaps and closes it as soon as no frame is lent.
  static func end(_ lender: UnsafeMutablePointer<Lender>) {
    if !lender.pointee.hasEnded {
      lender.pointee.hasEnded = true
      var type = lender.pointee.device.bufferType
      _ = lender.pointee.device.descriptor.control(CLINUX_VIDIOC_STREAMOFF, &type)
    }
    guard lender.pointee.lent == 0 else { return }
    lender.deinitialize(count: 1)
    lender.deallocate()
  }
}

extension timeval {
  fileprivate var nanoseconds: Int64 { Int64(tv_sec) &* 1_000_000_000 &+ Int64(tv_usec) &* 1000 }
}
