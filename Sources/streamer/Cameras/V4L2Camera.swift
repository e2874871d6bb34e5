import LinuxIO
import V4L2Capture

/// A V4L2 camera that was set as it was asked for, and does not stream yet.
struct V4L2Camera: ~Copyable {
  let device: Device
  let format: Format
  /// nil where its driver does not say.
  let rate: FrameRate?
  /// The controls that were set, in their order.
  let controls: [ControlValue]

  init(_ path: String, _ settings: SourceSettings) throws {
    let device = try Device(opening: path)
    try Self.switchInput(of: device, settings)
    let choices = try Self.choices(settings.request, of: device)
    // Before the format: a picture that is turned over can have another one.
    var controls = try device.apply(settings.controls, log: settings.log)
    if let flip = settings.flip { controls += try device.flip(flip) }
    let (choice, format, rate) = try Self.set(device, choices, settings)
    if let asked = choice.rate, !(rate?.isNear(asked) ?? (settings.request.rate == nil)) {
      let given = rate.map { "its driver set \($0)" } ?? "its driver can't set a rate"
      settings.log.warning("\(path): asked for \(asked) fps, \(given)")
    }
    self.controls = controls
    self.rate = rate
    self.format = format
    self.device = device
  }

  /// Switches to the input that is asked for, and to what comes in there.
  private static func switchInput(of device: borrowing Device, _ settings: SourceSettings) throws {
    if let text = settings.input {
      let input: VideoInput
      do throws(NotOffered) { input = try VideoInput.choose(text, from: device.inputs()) } catch {
        throw UsageError("--input \(text): \(device.path): \(error)")
      }
      try device.select(input)
    }
    if let text = settings.standard {
      let standard: VideoStandard
      do throws(NotOffered) { standard = try VideoStandard.choose(text, from: device.standards()) } catch {
        throw UsageError("--standard \(text): \(device.path): \(error)")
      }
      try device.select(standard)
    }
    let signal = try device.adoptSignal()
    _ = device.subscribeToSourceChanges()
    if let reason = NoSignal(signal, at: device.path) { throw reason }
  }

  /// The mode of a device that a request means.
  static func choose(_ request: ModeRequest, of device: borrowing Device) throws -> ModeChoice {
    try choices(request, of: device)[0]
  }

  /// The modes of a device that a request may mean, the best first; at least one.
  private static func choices(_ request: ModeRequest, of device: borrowing Device) throws -> [ModeChoice] {
    let modes = device.modes(near: request.size ?? ModeRequest.usualSize)
    guard !modes.isEmpty else {
      throw Failure(
        "\(device.path): it offers no format at all"
          + (device.isFed ? ": no program feeds this loopback device; \(Device.feedRemedy)" : ""))
    }
    do throws(ModeNotOffered) { _ = try request.choose(from: modes) } catch {
      throw UsageError("\(device.path): \(error)")
    }
    return request.choices(from: modes)
  }

  private typealias Setting = (choice: ModeChoice, format: Format, rate: FrameRate?)

  /// Sets the first mode that the driver accepts, or answers with another one that is what was asked for, too.
  /// - Throws: where there is none: with what the driver set instead.
  private static func set(
    _ device: borrowing Device, _ choices: [ModeChoice], _ settings: SourceSettings
  ) throws -> Setting {
    var answers: [Format] = []
    var refusal: CaptureError?
    for choice in choices {
      let (format, rate): (Format, FrameRate?)
      do throws(CaptureError) { (format, rate) = try device.set(choice) } catch {
        guard error.refusesMode else { throw error }
        refusal = refusal ?? error
        continue
      }
      if settings.request.accepts(format) {
        if format.format != choice.format || format.size != choice.size {
          settings.log.warning("\(device.path): asked for \(choice), its driver set \(format)")
        }
        return (choice, format, rate)
      }
      answers.append(format)
    }
    throw Self.failure(device, choices, answers, refusal)
  }

  /// Why no mode could be set, and what to ask for instead.
  private static func failure(
    _ device: borrowing Device, _ choices: [ModeChoice], _ answers: [Format], _ refusal: CaptureError?
  ) -> Failure {
    // The driver took it, but it makes no picture: that has its own remedy, and other formats may be the same.
    if let refusal, refusal.cause == nil, answers.isEmpty { return Failure("\(refusal)") }
    let modes = device.modes().filter { mode in !choices.contains { $0.format == mode.format } }
    var others = answers.filter { $0.format.cost != nil }.map { "--format \($0.format) --size \($0.size)" }
    others += modes.filter { $0.format.cost != nil }.map { "--format \($0.format)" }
    let remedy = others.first.map { "; \($0) may do instead" } ?? ""
    guard let answer = answers.first else {
      return Failure((refusal.map { "\($0)" } ?? "\(device.path): it has no mode that can be sent") + remedy)
    }
    return Failure("\(device.path): its driver was asked for \(choices[0]) and set \(answer)\(remedy)")
  }

  /// For people.
  var description: String {
    "\(device.card) (\(device.driver), \(device.bus)), \(format.format) \(format.size)"
      + (rate.map { " at \($0) fps" } ?? ", a rate its driver does not say")
  }
}
