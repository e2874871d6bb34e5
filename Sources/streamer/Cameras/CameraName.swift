/// A camera as the user names it.
enum CameraName: Equatable, Sendable, CustomStringConvertible {
  case device(String)
  case test
  case file(String)
  /// By libcamera's id, or its place in libcamera's list.
  case libcamera(String)

  var description: String {
    switch self {
    case .device(let path): path
    case .test: "test:"
    case .file(let path): "file:" + path
    case .libcamera(let name): "libcamera:" + name
    }
  }

  /// It is a device that can be set.
  var hasControls: Bool {
    switch self {
    case .device, .libcamera: true
    case .test, .file: false
    }
  }

  /// What a line about it begins with: its path, `test`, or its whole name.
  var label: String {
    switch self {
    case .device(let path), .file(let path): path
    case .test: "test"
    case .libcamera: description
    }
  }
}
