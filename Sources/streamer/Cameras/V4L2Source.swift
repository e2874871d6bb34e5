import V4L2Capture

/// A V4L2 camera whose frames are read out of its driver's own buffers.
struct V4L2Source: ~Copyable {
  private let ring: BufferRing
  private let controls: [ControlValue]
  let info: SourceInfo
  /// By which it was opened.
  let path: String

  init(_ camera: consuming V4L2Camera, _ settings: SourceSettings) throws {
    let (format, rate, description) = (camera.format, camera.rate ?? settings.request.rate, camera.description)
    let (controls, path) = (camera.controls, camera.device.path)
    let raw = try RawFrames(format, of: camera.device.path, mayConvert: true)
    ring = try BufferRing(
      camera.device, buffers: settings.buffers, isWatched: raw == nil && settings.isPolled, interval: rate?.interval)
    self.path = path
    self.controls = controls
    info = SourceInfo(
      size: format.size, rate: rate, largestFrame: ring.largest, description: "\(description), \(ring.count) buffers",
      raw: raw)
  }

  var fileDescriptor: Int32 { ring.number }

  var isFed: Bool { ring.isFed }

  func restoreControls() -> [String] { ring.withDevice { [controls] in $0.restore(controls) } }

  func formatConverter() throws(CaptureError) -> FormatConverter? {
    guard let format = info.raw?.convertedFormat else { return nil }
    return try ring.withDevice { (device) throws(CaptureError) in try FormatConverter(device, format) }
  }

  /// Stops streaming, and starts it again.
  func restart() throws(CaptureError) { try ring.restart() }

  /// Whether the driver has reported that its input's signal came, went or changed.
  func hasChanged() -> Bool { ring.withDevice { $0.hasSourceChanged() } }

  func next() throws(CaptureError) -> Frame? { try ring.dequeue() }

  var isWatched: Bool { ring.isWatched }

  func look() -> Arrived? { ring.look() }

  func stopWatching() { ring.stopWatching() }

  var timestampSource: TimestampSource? { ring.timestampSource }

  var hasFaultyTimestamps: Bool { ring.hasFaultyTimestamps }
}
