import LinuxIO
import RTPCore
import V4L2Capture

/// A camera that is open, and all that is known of it alone: when another takes its place, or it is opened again, that begins
/// from scratch, while the stream goes on.
struct OpenCamera: ~Copyable {
  let source: Source
  /// nil: there is no camera.
  let info: SourceInfo?
  var encoder: FrameEncoder?
  var early: EarlySending
  var gaps = SequenceGaps()
  var lateness: Lateness
  var rate: RateCheck
  var hasRestoredControls = false
  var reportedFaultyTimestamps = false
  /// Checks in a row at which a frame was there that epoll had not reported.
  var unreportedChecks = 0

  /// There is no camera.
  init() {
    self.init(.absent, nil, nil, .off, packetSize: 1400)
  }

  /// Opens a camera and starts it.
  init(_ camera: CameraName, _ settings: StreamSettings) throws {
    let source = try Source.open(camera, settings.source)
    guard var info = source.info else { throw Failure("\(camera.label): there is no camera") }
    var encoder: FrameEncoder?
    if let raw = info.raw {
      let made = try FrameEncoder(
        raw, rate: info.rate, converter: try source.formatConverter(), settings.source.encoding)
      info.largestFrame = made.largest
      info.description += ", \(made.description)"
      encoder = consume made
    }
    let early = source.isWatched ? settings.frames.early : .off
    self.init(
      source, info, encoder, early, packetSize: settings.session.packetSize.largest)
  }

  private init(
    _ source: consuming Source, _ info: SourceInfo?, _ encoder: consuming FrameEncoder?, _ early: EarlySending.Setting,
    packetSize: Int
  ) {
    // Capped at an Ethernet payload: jumbo packets would make the poll interval too long.
    self.early = EarlySending(early, interval: info?.rate?.interval, packetSize: min(1472, packetSize))
    lateness = Lateness(interval: info?.rate?.interval ?? Self.usualInterval)
    rate = RateCheck(info?.rate)
    self.encoder = encoder
    self.info = info
    self.source = source
  }

  /// Between two frames, in nanoseconds, where a camera does not say it.
  static let usualInterval: Int64 = 33_333_333

  /// Frames are raw, and are encoded first.
  var encodes: Bool { info?.raw != nil }

  /// The JPEG of a raw frame, whose buffer is queued again before this returns.
  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame {
    guard let jpeg = try encoder?.encode(frame, repairs: repairs) else { throw .encoder }
    return jpeg
  }
}
