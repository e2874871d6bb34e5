import V4L2Capture

/// A V4L2 camera whose MJPEG frames are sent out of its driver's own buffers.
struct V4L2Source: FrameSource, ~Copyable {
  private let ring: BufferRing
  let info: SourceInfo

  init(_ path: String, _ request: ModeRequest, buffers: Int, isWatched: Bool, log: Log) throws {
    let device = try Device(opening: path)
    let card = "\(device.card) (\(device.driver), \(device.bus))"
    let choice = try Self.choose(request, of: device)
    let (format, rate) = try device.set(choice)
    guard format.format == choice.format, format.size == choice.size else {
      throw Failure(
        "\(path): its driver was asked for \(choice.format) \(choice.size) and set \(format.format) \(format.size)")
    }
    if let asked = choice.rate, !(rate?.isNear(asked) ?? (request.rate == nil)) {
      let given = rate.map { "its driver set \($0)" } ?? "its driver can't set a rate"
      log.warning("\(path): asked for \(asked) fps, \(given)")
    }
    ring = try BufferRing(device, buffers: buffers, isWatched: isWatched)
    info = SourceInfo(
      size: format.size, rate: rate ?? request.rate, largestFrame: ring.largest,
      description: "\(card), \(format.format) \(format.size)"
        + "\(rate.map { " at \($0) fps" } ?? ", a rate its driver does not say"), \(ring.count) buffers")
  }

  /// The mode of a device that a request means.
  static func choose(_ request: ModeRequest, of device: borrowing Device) throws(UsageError) -> ModeChoice {
    do throws(ModeNotOffered) {
      return try request.choose(from: device.modes(near: request.size ?? ModeRequest.usualSize))
    } catch {
      throw UsageError("\(device.path): \(error)")
    }
  }

  var number: Int32 { ring.number }

  var isQueue: Bool { true }

  func next() throws -> Frame? { try ring.dequeue() }

  var isWatched: Bool { ring.isWatched }

  func look() -> Arrived? { ring.look() }

  func stopWatching() { ring.stopWatching() }

  var timestampSource: TimestampSource? { ring.timestampSource }
}
