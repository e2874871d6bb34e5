/// A camera as the user names it.
enum CameraName: Equatable, Sendable, CustomStringConvertible {
  case device(String)
  case test
  case file(String)
  /// By libcamera's id, or its place in libcamera's list.
  case libcamera(String)

  init(_ text: String) throws(UsageError) {
    if text == "test:" {
      self = .test
    } else if text.hasPrefix("file:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty else { throw UsageError("file: needs a path, such as file:pictures/") }
      self = .file(path)
    } else if text.hasPrefix("libcamera:") {
      let name = String(text.dropFirst(10))
      guard !name.isEmpty else {
        throw UsageError("libcamera: needs a camera, such as libcamera:0; 'streamer list' shows them")
      }
      self = .libcamera(name)
    } else if text.hasPrefix("/") || text.hasPrefix("."), !NearMiss.isPictures(text) {
      self = .device(text)
    } else {
      throw UsageError(
        "'\(text)' is neither a verb nor a camera; "
          + (NearMiss.camera(text) ?? "a camera is a path (/dev/video0), libcamera:ID, test: or file:PATH"))
    }
  }

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
