import CLinux
import CScriptedDriver
import Glibc

/// A V4L2 capture driver that a test scripts: `path` opens it, real epoll waits for it, and its buffers are mapped.
///
/// Without a script it is a good driver. A script is `onCall`, which sees each ioctl before the driver answers it. A test
/// calls `end()` when it is done with it.
public final class ScriptedDriver: @unchecked Sendable {
  /// One entry of its list of modes.
  public struct Mode {
    public var format: String
    public var sizes: [(width: UInt32, height: UInt32)]
    /// As V4L2 has them: seconds a frame.
    public var intervals: [(numerator: UInt32, denominator: UInt32)]

    public init(
      _ format: String, _ sizes: [(UInt32, UInt32)] = [(640, 480)], intervals: [(UInt32, UInt32)] = [(1, 30)]
    ) {
      self.format = format
      self.sizes = sizes
      self.intervals = intervals
    }
  }

  public struct Menu {
    public var items: [UInt32: String]
    public init(_ items: [UInt32: String]) { self.items = items }
  }

  /// One frame that it gives.
  public struct Picture {
    /// Of each plane.
    public var planes: [[UInt8]]
    public var flags: UInt32
    /// Nanoseconds of CLOCK_MONOTONIC; nil: the time at which it is dequeued.
    public var timestamp: Int64?
    /// nil: the next number.
    public var sequence: UInt32?

    public init(
      _ planes: [UInt8]..., flags: UInt32 = UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC), timestamp: Int64? = nil,
      sequence: UInt32? = nil
    ) {
      self.planes = planes
      self.flags = flags
      self.timestamp = timestamp
      self.sequence = sequence
    }
  }

  /// Sees an ioctl.
  /// - Parameters:
  ///   - request: such as `SCRIPTED_S_FMT`.
  ///   - argument: its structure, which may be read and changed, before `answer` and after.
  ///   - answer: the driver's own answer: 0, or an errno.
  /// - Returns: what the caller gets: 0, or an errno.
  public typealias Script = (_ request: UInt, _ argument: UnsafeMutableRawPointer, _ answer: () -> Int32) -> Int32

  public private(set) var path = ""
  public var onCall: Script?
  /// Why it cannot be opened; 0: it can.
  public var openError: Int32 = 0
  public var card = "Scripted camera"
  public var driver = "scripted"
  public var bus = "platform:scripted"
  public var capabilities = UInt32(V4L2_CAP_VIDEO_CAPTURE) | UInt32(V4L2_CAP_STREAMING)
  public var modes: [Mode]
  public var controls: [v4l2_query_ext_ctrl] = []
  public var menus: [UInt32: Menu] = [:]
  public var values: [UInt32: Int64] = [:]
  /// None: it answers nothing about inputs, as a camera's driver may.
  public var inputs: [Input] = []
  public internal(set) var input: UInt32 = 0
  /// The timings that its current input detects, or why it does not: an errno.
  public var signal = Signal.none(ENOLINK)
  public internal(set) var timings = scripted_timings(640, 480, 800, 525, 25_200_000)
  /// What VIDIOC_QUERYSTD answers.
  public var detectedStandard: UInt64 = 0
  public internal(set) var standard: UInt64 = 0
  /// Events that it has not given yet, by their types, and what changed.
  public var events: [(type: UInt32, changes: UInt32)] = []
  /// The types of event that were subscribed to, and of which input.
  public internal(set) var subscriptions: [(type: UInt32, id: UInt32)] = []
  /// The most buffers that it gives.
  public var mostBuffers: UInt32 = 4
  /// The frames that it has not given yet: one for each buffer that is queued, at once.
  public var pictures: [Picture] = []
  /// Called when a frame is asked for and there is none any more.
  public var onEnd: (() -> Void)?
  /// How often each request was made.
  public private(set) var calls: [UInt: Int] = [:]

  /// Memories that are mapped.
  public internal(set) var mappedCount = 0

  var format = v4l2_format()
  var interval = v4l2_fract(numerator: 1, denominator: 30)
  var buffers: [Buffer] = []
  var queued: [Int] = []
  var isStreaming = false
  var sequence: UInt32 = 0
  /// Readable as long as frames are there.
  private let ready: Int32
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  public init(_ modes: [Mode] = [Mode("MJPG")]) {
    self.modes = modes
    ready = eventfd(1, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(lock, &attributes)
    path = Registry.add(self)
  }

  deinit {
    close(ready)
    lock.deallocate()
  }

  /// Unplugs it: no path opens it, and what has it open is told so.
  public func end() {
    Registry.remove(self)
    locked { show(true) }
  }

  /// Plugs it in again, or has one more path open it.
  public func plug(at path: String) { Registry.add(self, at: path) }

  /// As it was before the first call.
  public func reset() {
    locked {
      calls = [:]
      buffers = []
      (isStreaming, format) = (false, v4l2_format())
    }
  }

  public var isMultiPlanar: Bool { capabilities & UInt32(V4L2_CAP_VIDEO_CAPTURE) == 0 }

  /// How many buffers wait to be filled.
  public var queuedCount: Int { locked { queued.count } }

  /// Keeps its ioctls waiting, which other threads make.
  public func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }

  func open() -> Int32 {
    locked {
      // Who had it open before has closed it, and its buffers are gone.
      if mappedCount == 0 { (buffers, queued, isStreaming) = ([], [], false) }
      return openError == 0 ? fcntl(ready, F_DUPFD_CLOEXEC, 3) : -openError
    }
  }

  func control(_ request: UInt, _ argument: UnsafeMutableRawPointer) -> Int32 {
    locked {
      calls[request, default: 0] += 1
      guard let onCall else { return answer(request, argument) }
      return onCall(request, argument) { answer(request, argument) }
    }
  }

  private func answer(_ request: UInt, _ argument: UnsafeMutableRawPointer) -> Int32 {
    switch request {
    case SCRIPTED_QUERYCAP: capability(&argument.assumingMemoryBound(to: v4l2_capability.self).pointee)
    case SCRIPTED_ENUM_FMT: nextFormat(&argument.assumingMemoryBound(to: v4l2_fmtdesc.self).pointee)
    case SCRIPTED_ENUM_FRAMESIZES: nextSize(&argument.assumingMemoryBound(to: v4l2_frmsizeenum.self).pointee)
    case SCRIPTED_ENUM_FRAMEINTERVALS: nextInterval(&argument.assumingMemoryBound(to: v4l2_frmivalenum.self).pointee)
    case SCRIPTED_G_FMT: getFormat(&argument.assumingMemoryBound(to: v4l2_format.self).pointee)
    case SCRIPTED_TRY_FMT: tryFormat(&argument.assumingMemoryBound(to: v4l2_format.self).pointee)
    case SCRIPTED_S_FMT: setFormat(&argument.assumingMemoryBound(to: v4l2_format.self).pointee)
    case SCRIPTED_G_PARM: parameters(&argument.assumingMemoryBound(to: v4l2_streamparm.self).pointee, sets: false)
    case SCRIPTED_S_PARM: parameters(&argument.assumingMemoryBound(to: v4l2_streamparm.self).pointee, sets: true)
    case SCRIPTED_QUERY_EXT_CTRL: nextControl(&argument.assumingMemoryBound(to: v4l2_query_ext_ctrl.self).pointee)
    case SCRIPTED_QUERYMENU: menu(&argument.assumingMemoryBound(to: v4l2_querymenu.self).pointee)
    case SCRIPTED_G_EXT_CTRLS: value(&argument.assumingMemoryBound(to: v4l2_ext_controls.self).pointee, sets: false)
    case SCRIPTED_S_EXT_CTRLS: value(&argument.assumingMemoryBound(to: v4l2_ext_controls.self).pointee, sets: true)
    case SCRIPTED_ENUMINPUT: nextInput(&argument.assumingMemoryBound(to: v4l2_input.self).pointee)
    case SCRIPTED_G_INPUT: getInput(&argument.assumingMemoryBound(to: UInt32.self).pointee)
    case SCRIPTED_S_INPUT: setInput(argument.assumingMemoryBound(to: UInt32.self).pointee)
    case SCRIPTED_ENUMSTD: nextStandard(&argument.assumingMemoryBound(to: v4l2_standard.self).pointee)
    case SCRIPTED_S_STD: setStandard(argument.assumingMemoryBound(to: UInt64.self).pointee)
    case SCRIPTED_QUERYSTD: queryStandard(&argument.assumingMemoryBound(to: UInt64.self).pointee)
    case SCRIPTED_G_DV_TIMINGS: getTimings(&argument.assumingMemoryBound(to: v4l2_dv_timings.self).pointee)
    case SCRIPTED_S_DV_TIMINGS: setTimings(argument.assumingMemoryBound(to: v4l2_dv_timings.self).pointee)
    case SCRIPTED_QUERY_DV_TIMINGS: queryTimings(&argument.assumingMemoryBound(to: v4l2_dv_timings.self).pointee)
    case SCRIPTED_SUBSCRIBE_EVENT: subscribe(argument.assumingMemoryBound(to: v4l2_event_subscription.self).pointee)
    case SCRIPTED_DQEVENT: nextEvent(&argument.assumingMemoryBound(to: v4l2_event.self).pointee)
    case SCRIPTED_REQBUFS: allocate(&argument.assumingMemoryBound(to: v4l2_requestbuffers.self).pointee)
    case SCRIPTED_QUERYBUF: describe(&argument.assumingMemoryBound(to: v4l2_buffer.self).pointee)
    case SCRIPTED_QBUF: queue(argument.assumingMemoryBound(to: v4l2_buffer.self).pointee)
    case SCRIPTED_DQBUF: dequeue(&argument.assumingMemoryBound(to: v4l2_buffer.self).pointee)
    case SCRIPTED_STREAMON: stream(true)
    case SCRIPTED_STREAMOFF: stream(false)
    default: ENOTTY
    }
  }

  private func capability(_ capability: inout v4l2_capability) -> Int32 {
    Self.write(driver, into: &capability.driver)
    Self.write(card, into: &capability.card)
    Self.write(bus, into: &capability.bus_info)
    capability.capabilities = capabilities | UInt32(V4L2_CAP_DEVICE_CAPS)
    capability.device_caps = capabilities
    return 0
  }

  /// Writes as much of a text as there is room for, without a zero after it where there is none.
  static func write<Tuple>(_ text: String, into room: inout Tuple) {
    withUnsafeMutableBytes(of: &room) { room in
      room.initializeMemory(as: UInt8.self, repeating: 0)
      room.copyBytes(from: text.utf8.prefix(room.count))
    }
  }

  /// Has epoll see frames, or none.
  func show(_ isReady: Bool) {
    var count: UInt64 = 1
    _ = isReady ? Glibc.write(ready, &count, 8) : Glibc.read(ready, &count, 8)
  }
}
