import CTurboJPEG

/// Why libjpeg-turbo refused a picture.
public struct CodecError: Error, CustomStringConvertible {
  /// The function that failed.
  public let call: String
  /// The library's words.
  public let reason: String

  init(_ call: String, _ handle: tjhandle?) {
    self.init(call, reason: tjGetErrorStr2(handle).map { String(cString: $0) } ?? "unknown error")
  }

  init(_ call: String, reason: String) {
    self.call = call
    self.reason = reason
  }

  public var description: String { "\(call): \(reason)" }
}
