import V4L2Capture

/// A camera that is open and streams, of whatever kind. Its owner lets it go, and opens another, while the stream goes on.
enum Source: ~Copyable {
  /// There is no camera.
  case absent
  case v4l2(V4L2Source)
  case libcamera(LibcameraSource)
  case file(FileSource)
  case test(TestSource)

  /// Opens a camera and starts it.
  static func open(_ camera: CameraName, _ settings: SourceSettings) throws -> Source {
    switch camera {
    case .device(let path): .v4l2(try V4L2Source(V4L2Camera(path, settings), settings))
    case .libcamera(let name): .libcamera(try LibcameraSource(LibcameraCamera(name, settings)))
    case .file(let path): .file(try FileSource(path, settings.request, log: settings.log))
    case .test: .test(try TestSource(settings))
    }
  }

  /// For epoll: readable when a frame may be due. -1: there is no camera.
  var fileDescriptor: Int32 {
    switch self {
    case .absent: -1
    case .v4l2(let source): source.fileDescriptor
    case .libcamera(let source): source.fileDescriptor
    case .file(let source): source.fileDescriptor
    case .test(let source): source.fileDescriptor
    }
  }

  /// nil: there is no camera.
  var info: SourceInfo? {
    switch self {
    case .absent: nil
    case .v4l2(let source): source.info
    case .libcamera(let source): source.info
    case .file(let source): source.info
    case .test(let source): source.info
    }
  }

  /// The next frame; nil where none is due yet. At most two frames are leased at a time.
  @inline(__always)
  func next() throws -> Frame? {
    switch self {
    case .absent: nil
    case .v4l2(let source): try source.next()
    case .libcamera(let source): try source.next()
    case .file(let source): source.next()
    case .test(let source): source.next()
    }
  }

  /// Stops streaming, and starts it again. No frame may be leased.
  /// - Returns: false where only opening it again does that.
  func restart() throws -> Bool {
    switch self {
    case .absent: return false
    case .v4l2(let source): try source.restart()
    case .libcamera: return false
    case .file: return false
    case .test: return false
    }
    return true
  }

  /// Whether the driver has reported that its input's signal came, went or changed.
  func hasChanged() -> Bool {
    switch self {
    case .absent: false
    case .v4l2(let source): source.hasChanged()
    case .libcamera: false
    case .file: false
    case .test: false
    }
  }

  /// The device by which a V4L2 camera was opened.
  var path: String? {
    switch self {
    case .absent: nil
    case .v4l2(let source): source.path
    case .libcamera: nil
    case .file: nil
    case .test: nil
    }
  }

  /// Frames wait in the driver until they are dequeued, the oldest first; the others give the newest.
  var isQueue: Bool {
    switch self {
    case .v4l2: true
    case .libcamera: true
    case .absent: false
    case .file: false
    case .test: false
    }
  }

  /// Another program feeds it (a loopback device): without frames that one has stopped.
  var isFed: Bool {
    switch self {
    case .absent: false
    case .v4l2(let source): source.isFed
    case .libcamera: false
    case .file: false
    case .test: false
    }
  }

  /// Sets the controls again that the camera forgot when it started to stream.
  /// - Returns: what there is to report.
  func restoreControls() -> [String] {
    switch self {
    case .absent: []
    case .v4l2(let source): source.restoreControls()
    case .libcamera: []
    case .file: []
    case .test: []
    }
  }

  /// What libv4lconvert makes a raw format that is not encoded as it is into another with; nil: there is no need.
  func formatConverter() throws -> FormatConverter? {
    switch self {
    case .absent: nil
    case .v4l2(let source): try source.formatConverter()
    case .libcamera: nil
    case .file: nil
    case .test: nil
    }
  }

  /// `look` may show something.
  var isWatched: Bool {
    switch self {
    case .absent: false
    case .v4l2(let source): source.isWatched
    case .libcamera: false
    case .file: false
    case .test: false
    }
  }

  /// What there is of the frame that is being filled; nil where that cannot be told.
  func look() -> Arrived? {
    switch self {
    case .absent: nil
    case .v4l2(let source): source.look()
    case .libcamera: nil
    case .file: nil
    case .test: nil
    }
  }

  /// No longer prepares buffers for `look`.
  func stopWatching() {
    switch self {
    case .absent: return
    case .v4l2(let source): source.stopWatching()
    case .libcamera: return
    case .file: return
    case .test: return
    }
  }

  /// How many of the frames that are missing before the last one were due while this program worked on one; nil where a
  /// driver has them, and knows what became of them.
  var workedThrough: UInt64? {
    switch self {
    case .absent: nil
    case .v4l2: nil
    case .libcamera: nil
    case .file(let source): source.workedThrough
    case .test(let source): source.workedThrough
    }
  }

  /// Which instant its timestamps are of, known with its first frame.
  var timestampSource: TimestampSource? {
    switch self {
    case .absent: nil
    case .file: nil
    case .test: nil
    case .v4l2(let source): source.timestampSource
    case .libcamera(let source): source.timestampSource
    }
  }

  /// Its driver's timestamps stand still, repeat or go back: frames are timed by their arrival.
  var hasFaultyTimestamps: Bool {
    switch self {
    case .absent: false
    case .file: false
    case .test: false
    case .v4l2(let source): source.hasFaultyTimestamps
    case .libcamera(let source): source.hasFaultyTimestamps
    }
  }
}
