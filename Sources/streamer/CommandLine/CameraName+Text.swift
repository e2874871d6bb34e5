extension CameraName {
  /// Reads what the user wrote.
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
}
