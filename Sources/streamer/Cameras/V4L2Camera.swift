import LinuxIO
import V4L2Capture

/// A V4L2 camera that was set as it was asked for, and does not stream yet.
struct V4L2Camera: ~Copyable {
  let device: Device
  let format: Format
  /// nil where its driver does not say.
  let rate: FrameRate?

  init(_ path: String, _ options: StreamOptions) throws {
    let device = try Device(opening: path)
    let choice = try Self.choose(options.request, of: device)
    // Before the format: a picture that is turned over can have another one.
    try device.apply(options.controls, log: options.log)
    if let flip = options.flip { try device.flip(flip) }
    let (format, rate) = try device.set(choice)
    guard format.format == choice.format, format.size == choice.size else {
      throw Failure(
        "\(path): its driver was asked for \(choice.format) \(choice.size) and set \(format.format) \(format.size)")
    }
    if let asked = choice.rate, !(rate?.isNear(asked) ?? (options.request.rate == nil)) {
      let given = rate.map { "its driver set \($0)" } ?? "its driver can't set a rate"
      options.log.warning("\(path): asked for \(asked) fps, \(given)")
    }
    self.rate = rate
    self.format = format
    self.device = device
  }

  /// The mode of a device that a request means.
  static func choose(_ request: ModeRequest, of device: borrowing Device) throws(UsageError) -> ModeChoice {
    do throws(ModeNotOffered) {
      return try request.choose(from: device.modes(near: request.size ?? ModeRequest.usualSize))
    } catch {
      throw UsageError("\(device.path): \(error)")
    }
  }

  /// For people.
  var description: String {
    "\(device.card) (\(device.driver), \(device.bus)), \(format.format) \(format.size)"
      + (rate.map { " at \($0) fps" } ?? ", a rate its driver does not say")
  }
}
