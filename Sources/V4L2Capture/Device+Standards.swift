import CLinux
import LinuxIO

/// A video standard of an analog input (struct v4l2_standard), such as PAL or NTSC.
public struct VideoStandard: Equatable, Sendable, CustomStringConvertible {
  /// As the driver calls it, such as `PAL-BG`.
  public let name: String
  /// Its set of standards, a bit each (v4l2_std_id).
  let id: UInt64

  public init(name: String, id: UInt64) {
    self.name = name
    self.id = id
  }

  /// The standard that a text names, in any case.
  /// - Throws: the standards that there are.
  public static func choose(_ text: String, from standards: [VideoStandard]) throws(NotOffered) -> VideoStandard {
    let wanted = Control.plain(text)
    if let standard = standards.first(where: { Control.plain($0.name) == wanted }) { return standard }
    throw NotOffered("no such standard", of: standards.map(\.name))
  }

  public var description: String { name }
}

extension Device {
  private static var standardLimit: UInt32 { 256 }

  /// All standards of the current input (VIDIOC_ENUMSTD), general ones such as `PAL` first, as the kernel lists them; none
  /// where it has none.
  public func standards() -> [VideoStandard] {
    var standards: [VideoStandard] = []
    for index in 0..<Self.standardLimit {
      var standard = v4l2_standard()
      standard.index = index
      guard descriptor.control(CLINUX_VIDIOC_ENUMSTD, &standard) == nil else { break }
      standards.append(
        VideoStandard(name: withUnsafeBytes(of: standard.name) { String(field: $0) }, id: standard.id))
    }
    return standards
  }

  /// Sets a standard (VIDIOC_S_STD). The format may be another one afterwards.
  public func select(_ standard: VideoStandard) throws(CaptureError) {
    var id = standard.id
    try request("VIDIOC_S_STD \(standard)", CLINUX_VIDIOC_S_STD, &id)
  }

  /// The standard of the signal that comes in (VIDIOC_QUERYSTD): the first of the device's that it can be; nil where there
  /// is no signal, or the driver cannot tell.
  public func detectStandard() -> VideoStandard? {
    // A driver takes away what the signal cannot be.
    var detected = UInt64.max
    guard descriptor.control(CLINUX_VIDIOC_QUERYSTD, &detected) == nil, detected != .max else { return nil }
    return standards().first { $0.id & detected != 0 }
  }
}
