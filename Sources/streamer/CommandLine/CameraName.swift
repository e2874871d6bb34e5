/// A camera as the user names it.
enum CameraName: Equatable, Sendable, CustomStringConvertible {
  case device(String)
  case test
  case file(String)

  init(_ text: String) throws(UsageError) {
    if text == "test:" {
      self = .test
    } else if text.hasPrefix("file:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty else { throw UsageError("file: needs a path, such as file:pictures/") }
      self = .file(path)
    } else if text.hasPrefix("libcamera:") {
      throw UsageError("\(text): this version has no libcamera cameras; V4L2 devices, test: and file:PATH it has")
    } else if text.hasPrefix("/") || text.hasPrefix(".") {
      self = .device(text)
    } else {
      throw UsageError("'\(text)' is neither a verb nor a camera; a camera is a path (/dev/video0), test: or file:PATH")
    }
  }

  var description: String {
    switch self {
    case .device(let path): path
    case .test: "test:"
    case .file(let path): "file:" + path
    }
  }

  /// It is a device that can be set.
  var hasControls: Bool {
    switch self {
    case .device: true
    case .test, .file: false
    }
  }

  /// What a line about it begins with: its path, or `test`.
  var label: String {
    switch self {
    case .device(let path), .file(let path): path
    case .test: "test"
    }
  }
}
