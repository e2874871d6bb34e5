import CLibcameraBridge
import JPEGCodec
import V4L2Capture

/// A camera of libcamera's that was set as it was asked for, and does not stream yet.
struct LibcameraCamera: ~Copyable {
  let device: LibcameraDevice
  let format: Format
  /// nil where its pipeline can't be set to one.
  let rate: FrameRate?
  /// For people.
  let description: String

  init(_ name: String, _ settings: SourceSettings) throws {
    let device = try LibcameraDevice(opening: name)
    let choice = try Self.choose(settings.request, of: device)
    let stream = try device.configure(choice, buffers: settings.buffers, flip: settings.flip)
    if settings.flip == nil, stream.flip != 0 {
      settings.log.warning("\(device.name): its picture is turned as it is mounted: its sensor can't turn it")
    }
    let format = Format(stream)
    guard format.format == choice.format, format.size == choice.size else {
      throw Failure(
        "\(device.name): its pipeline was asked for \(choice.format) \(choice.size) and set \(format.format) \(format.size)"
      )
    }
    // Ranges go with the mode.
    let found = try device.description()
    let rate = try Self.setRate(settings.request.rate, of: device, found, format)
    if let asked = settings.request.rate, rate == nil {
      settings.log.warning("\(device.name): asked for \(asked) fps, its pipeline can't set a rate")
    }
    try device.apply(settings.controls, of: found)
    description =
      "\(found.model.isEmpty ? found.id : found.model) (libcamera), \(format.format) \(format.size)"
      + (rate.map { " at \($0) fps" } ?? ", a rate its pipeline does not say")
    self.rate = rate
    self.format = format
    self.device = device
  }

  /// The mode of a device that a request means.
  static func choose(_ request: ModeRequest, of device: borrowing LibcameraDevice) throws -> ModeChoice {
    let modes = try device.description().modes.filter {
      PixelFormat.sendable.contains($0.format) || RawLayout.takes($0.format)
    }
    // Rates are known when it was set.
    let request = ModeRequest(format: request.format, size: request.size)
    do throws(ModeNotOffered) { return try request.choose(from: modes) } catch {
      throw UsageError("\(device.name): \(error)")
    }
  }

  private static func setRate(
    _ wanted: FrameRate?, of device: borrowing LibcameraDevice, _ found: LibcameraDescription, _ format: Format
  ) throws -> FrameRate? {
    guard let rates = found.rates else { return nil }
    let mode = Mode(format: format.format, sizes: SizeRange(format.size), rates: rates)
    let choice: ModeChoice
    do throws(ModeNotOffered) {
      choice = try ModeRequest(format: format.format, size: format.size, rate: wanted).choose(from: [mode])
    } catch {
      throw UsageError("\(device.name): \(error)")
    }
    guard let rate = choice.rate else { return nil }
    let duration = (Double(rate.interval) / 1000).rounded()
    try device.set(LibcameraControl.frameDuration, [duration, duration])
    return rate
  }
}

extension LibcameraDevice {
  /// Sets controls, in the order given. A lens that can be moved keeps the picture sharp, unless it is told otherwise:
  /// libcamera itself leaves it where it is.
  fileprivate func apply(_ settings: [ControlSetting], of found: LibcameraDescription) throws {
    let ownLens = settings.contains { $0.name.lowercased() == LibcameraControl.lensPosition.lowercased() }
    if !ownLens, let focus = found.continuousFocus { try set(LibcameraControl.focusMode, [focus]) }
    for setting in settings {
      guard let control = found.controls.first(where: { $0.name.lowercased() == setting.name.lowercased() }) else {
        throw setting.unknown(on: name, names: found.controls.map(\.name))
      }
      let numbers: [Double]
      do throws(ControlRefusal) { numbers = try control.numbers(setting.value) } catch {
        throw UsageError("--set \(setting.name)=\(setting.value): \(error)")
      }
      try set(control.name, numbers)
    }
  }
}

extension Format {
  /// What libcamera set.
  fileprivate init(_ stream: lcb_stream) {
    let format = PixelFormat(drm: stream.fourcc)
    let encoding: Colorimetry.Encoding =
      switch stream.encoding {
      case LCB_REC709: .bt709
      case LCB_REC2020: .bt2020
      default: .bt601
      }
    let isFullByDefault = format.isRGB || format == PixelFormat("GREY")
    let isFull = stream.is_full_range || stream.encoding == LCB_UNSAID && isFullByDefault
    let strides = [stream.strides.0, stream.strides.1, stream.strides.2]
    self.init(
      format, FrameSize(stream.size), imageBytes: 0, strides: Array(strides.prefix(Int(stream.plane_count))),
      colours: Colorimetry(encoding, isFullRange: isFull))
  }
}
