import CLibcameraBridge
import LinuxIO
import V4L2Capture

/// What libcamera says of a camera.
struct LibcameraDescription {
  let id: String
  /// Empty where libcamera has none.
  let model: String
  /// `front`, `back` or `external`; empty where libcamera does not say.
  let location: String
  /// Of the formats that are known here, too; libcamera tells no rates of them.
  let modes: [Mode]
  let controls: [LibcameraControl]

  init(_ told: lcb_description) {
    id = String(cString: told.identity.id).printable
    model = String(cString: told.identity.model).printable
    location = Self.name(told.identity.location)
    modes = UnsafeBufferPointer(start: told.modes, count: Int(told.mode_count)).compactMap { Mode($0) }
    controls = UnsafeBufferPointer(start: told.controls, count: Int(told.control_count)).map { LibcameraControl($0) }
  }

  private static func name(_ location: lcb_location) -> String {
    switch location {
    case LCB_FRONT: "front"
    case LCB_BACK: "back"
    case LCB_EXTERNAL: "external"
    default: ""
    }
  }

  /// The value of AfMode with which the camera focuses all the time; nil where it can't.
  var continuousFocus: Double? {
    // AfModeContinuous; before libcamera 0.4 choices have no names.
    controls.first { $0.name == LibcameraControl.focusMode }?.choices.first { $0.value == 2 }?.value
  }

  /// The rates that it can be set to; nil where it has no control for that.
  var rates: RateRange? {
    guard let limits = controls.first(where: { $0.name == LibcameraControl.frameDuration })?.range,
      let highest = FrameRate(1_000_000, Self.microseconds(limits.lowerBound)),
      let lowest = FrameRate(1_000_000, Self.microseconds(limits.upperBound))
    else { return nil }
    return highest == lowest ? RateRange([highest]) : RateRange([highest, lowest], isContinuous: true)
  }

  /// Whatever a pipeline says, it is a number of 32 bits.
  private static func microseconds(_ limit: Double) -> UInt32 { UInt32(min(max(limit, 0), Double(UInt32.max))) }
}

extension Mode {
  fileprivate init?(_ told: lcb_mode) {
    let (smallest, largest) = (FrameSize(told.smallest), FrameSize(told.largest))
    guard let sizes = SizeRange(reported: smallest, to: largest, step: FrameSize(told.step)) else { return nil }
    self.init(format: PixelFormat(drm: told.fourcc), sizes: sizes, rates: RateRange([]))
  }
}

extension FrameSize {
  init(_ size: lcb_size) { self.init(size.width, size.height) }
}
