import V4L2Capture

/// A V4L2 camera whose MJPEG frames are sent out of its driver's own buffers.
struct V4L2Source: FrameSource, ~Copyable {
  private let ring: BufferRing
  private let controls: [ControlValue]
  let info: SourceInfo

  init(_ camera: consuming V4L2Camera, _ options: StreamOptions) throws {
    let (format, rate, description) = (camera.format, camera.rate ?? options.request.rate, camera.description)
    let controls = camera.controls
    ring = try BufferRing(
      camera.device, buffers: options.buffers, isWatched: options.early != .off, interval: rate?.interval)
    self.controls = controls
    info = SourceInfo(
      size: format.size, rate: rate, largestFrame: ring.largest, description: "\(description), \(ring.count) buffers")
  }

  var number: Int32 { ring.number }

  var isQueue: Bool { true }

  var isFed: Bool { ring.isFed }

  func restoreControls() -> [String] { ring.withDevice { [controls] in $0.restore(controls) } }

  func next() throws -> Frame? { try ring.dequeue() }

  var isWatched: Bool { ring.isWatched }

  func look() -> Arrived? { ring.look() }

  func stopWatching() { ring.stopWatching() }

  var timestampSource: TimestampSource? { ring.timestampSource }

  var hasFaultyTimestamps: Bool { ring.hasFaultyTimestamps }
}
