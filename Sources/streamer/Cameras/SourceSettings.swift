import V4L2Capture

/// How a camera is opened and set.
struct SourceSettings: Sendable {
  /// The mode that is asked for.
  var request: ModeRequest
  /// How its raw frames are encoded.
  var encoding = EncodingOptions()
  /// Of the driver.
  var buffers = 4
  /// What its controls are set to, in this order.
  var controls: [ControlSetting] = []
  /// The input to switch to, by its number or name, and its video standard; nil: as the device has it.
  var input: String?
  var standard: String?
  /// nil: as the camera has it.
  var flip: Flip?
  /// Buffers that the driver fills are polled, for early packets.
  var isPolled = true
  let log: Log
}
