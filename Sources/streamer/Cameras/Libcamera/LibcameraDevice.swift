import CLibcameraBridge
import LinuxIO
import V4L2Capture

/// A camera of libcamera's. It is open as long as this value lives.
struct LibcameraDevice: ~Copyable {
  /// As the user named it: `libcamera:` and its id or its number.
  let name: String
  let functions: lcb_functions
  let handle: OpaquePointer

  init(opening camera: String) throws(Failure) {
    let name = "libcamera:\(camera)".printable
    let functions = try LibcameraBridge(for: name).functions
    var handle: OpaquePointer?
    let status = functions.open(camera, &handle)
    guard let handle else { throw Failure("\(name): there is no memory for it") }
    guard status >= 0 else {
      let failure = Self.failure(status, name, functions, handle)
      functions.close(handle)
      throw failure
    }
    self.name = name
    self.functions = functions
    self.handle = handle
  }

  deinit { functions.close(handle) }

  /// One call whose failure is an error.
  func check(_ status: Int32) throws(Failure) {
    if status < 0 { throw failure(status) }
  }

  /// What the last call failed for.
  func failure(_ status: Int32) -> Failure { Self.failure(status, name, functions, handle) }

  private static func failure(
    _ status: Int32, _ name: String, _ functions: lcb_functions, _ handle: OpaquePointer
  ) -> Failure {
    let remedy: String? =
      switch Errno(rawValue: -status) {
      case .busy: "another program, or another camera named here, has it (fuser -v /dev/video* shows which)"
      case .accessDenied, .notPermitted: Device.remedy(opening: Errno(rawValue: -status))
      case .noDevice: nil
      default: "LIBCAMERA_LOG_LEVELS=INFO in the environment has libcamera say more"
      }
    let reason = String(cString: functions.reason(handle)).printableLines
    return Failure("\(name): \(reason)" + (remedy.map { "; \($0)" } ?? ""))
  }

  /// What it is, and what it has.
  func description() throws(Failure) -> LibcameraDescription {
    var description = lcb_description()
    try check(functions.describe(handle, &description))
    return LibcameraDescription(description)
  }

  /// Takes the camera, and sets it; to something else, where it can't do what was asked for.
  /// - Parameter flip: nil: upright.
  func configure(_ choice: ModeChoice, buffers: Int, flip: Flip?) throws(Failure) -> lcb_stream {
    var wish = lcb_wish()
    wish.fourcc = choice.format.drm
    wish.size = lcb_size(width: choice.size.width, height: choice.size.height)
    wish.buffers = UInt32(buffers)
    wish.flip = flip?.bits ?? 0
    var stream = lcb_stream()
    try check(functions.configure(handle, &wish, &stream))
    // As it is mounted it can do; as it was asked for it must.
    guard flip == nil || stream.flip == wish.flip else {
      throw Failure("\(name): it can't turn its picture \(flip?.text ?? ""): its pipeline does not do that")
    }
    return stream
  }

  /// Sets a control when the camera starts.
  func set(_ control: String, _ numbers: [Double]) throws(Failure) {
    try check(functions.set(handle, control, numbers, UInt32(numbers.count)))
  }
}

extension Flip {
  /// As the bridge has it.
  var bits: UInt32 { (horizontally ? 1 : 0) | (vertically ? 2 : 0) }

  /// For people.
  fileprivate var text: String {
    horizontally ? (vertically ? "by half a turn" : "left to right") : vertically ? "upside down" : "upright"
  }
}
