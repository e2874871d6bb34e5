import CLinux
import LinuxIO

/// A connector, or another source, that a capture device can be switched to (struct v4l2_input).
public struct VideoInput: Equatable, Sendable, CustomStringConvertible {
  public let index: UInt32
  /// Such as `HDMI 0`. Several inputs may share one.
  public let name: String
  /// It has DV timings (HDMI, DVI, SDI): a signal brings its own size and rate.
  public let hasTimings: Bool
  /// It has video standards (composite, S-Video, a tuner).
  public let hasStandards: Bool
  /// What the driver reports of its signal (V4L2_IN_ST_*), if it is the current input.
  let status: UInt32

  public init(index: UInt32, name: String, hasTimings: Bool = false, hasStandards: Bool = false, status: UInt32 = 0) {
    self.index = index
    self.name = name
    self.hasTimings = hasTimings
    self.hasStandards = hasStandards
    self.status = status
  }

  init(_ input: v4l2_input) {
    self.init(
      index: input.index, name: withUnsafeBytes(of: input.name) { String(field: $0) },
      hasTimings: input.capabilities & UInt32(V4L2_IN_CAP_DV_TIMINGS) != 0,
      hasStandards: input.capabilities & UInt32(V4L2_IN_CAP_STD) != 0, status: input.status)
  }

  /// The input that a text names.
  /// - Parameter text: an index, or a name in any case.
  /// - Throws: the inputs that there are.
  public static func choose(_ text: String, from inputs: [VideoInput]) throws(NotOffered) -> VideoInput {
    if let input = inputs.first(where: { "\($0.index)" == text }) { return input }
    let named = inputs.filter { Control.plain($0.name) == Control.plain(text) }
    if named.count == 1 { return named[0] }
    throw NotOffered(
      named.isEmpty ? "no such input" : "several inputs of that name: take one's number", of: inputs.map(\.description))
  }

  /// Such as `1 (HDMI 0)`.
  public var description: String { "\(index) (\(name))" }
}

/// Something was asked of a device that it does not have: what it has instead.
public struct NotOffered: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ problem: String, of offered: [String]) {
    description =
      offered.isEmpty ? "it has none at all" : "it has \(problem); it has " + offered.joined(separator: ", ")
  }
}

extension Device {
  /// More than any device has: an endless enumeration is a driver's fault.
  private static var inputLimit: UInt32 { 64 }

  /// All inputs (VIDIOC_ENUMINPUT); none where the driver does not enumerate them.
  public func inputs() -> [VideoInput] {
    var inputs: [VideoInput] = []
    for index in 0..<Self.inputLimit {
      guard let input = input(at: index) else { break }
      inputs.append(input)
    }
    return inputs
  }

  private func input(at index: UInt32) -> VideoInput? {
    var input = v4l2_input()
    input.index = index
    return descriptor.control(CLINUX_VIDIOC_ENUMINPUT, &input) == nil ? VideoInput(input) : nil
  }

  /// The input that is switched on, with its status now (VIDIOC_G_INPUT, ENUMINPUT); nil where the driver has none.
  public func currentInput() -> VideoInput? {
    var index: UInt32 = 0
    guard descriptor.control(CLINUX_VIDIOC_G_INPUT, &index) == nil else { return nil }
    return input(at: index)
  }

  /// Switches to an input (VIDIOC_S_INPUT). Format, standard and timings may be others afterwards.
  public func select(_ input: VideoInput) throws(CaptureError) {
    var index = input.index
    try request("VIDIOC_S_INPUT \(input)", CLINUX_VIDIOC_S_INPUT, &index)
  }
}
