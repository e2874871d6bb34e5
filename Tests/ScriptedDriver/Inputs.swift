import CLinux
import CScriptedDriver
import Glibc

extension ScriptedDriver {
  /// A connector.
  public struct Input {
    public var name: String
    public var capabilities: UInt32
    public var status: UInt32
    /// By their names.
    public var standards: [(name: String, id: UInt64)]

    public init(
      _ name: String, capabilities: Int32 = 0, status: Int32 = 0, standards: [(name: String, id: UInt64)] = []
    ) {
      self.name = name
      self.capabilities = UInt32(capabilities)
      self.status = UInt32(status)
      self.standards = standards
    }
  }

  /// What a digital input detects.
  public enum Signal {
    case timings(v4l2_dv_timings)
    case none(Int32)
  }

  private var current: Input? { inputs.indices.contains(Int(input)) ? inputs[Int(input)] : nil }

  private var hasTimings: Bool { (current?.capabilities ?? 0) & UInt32(V4L2_IN_CAP_DV_TIMINGS) != 0 }

  func nextInput(_ entry: inout v4l2_input) -> Int32 {
    guard !inputs.isEmpty else { return ENOTTY }
    guard entry.index < inputs.count else { return EINVAL }
    let input = inputs[Int(entry.index)]
    Self.write(input.name, into: &entry.name)
    (entry.capabilities, entry.status) = (input.capabilities, input.status)
    entry.std = input.standards.reduce(0) { $0 | $1.id }
    return 0
  }

  func getInput(_ index: inout UInt32) -> Int32 {
    guard !inputs.isEmpty else { return ENOTTY }
    index = input
    return 0
  }

  func setInput(_ index: UInt32) -> Int32 {
    guard index < inputs.count else { return EINVAL }
    guard buffers.isEmpty else { return EBUSY }
    input = index
    return 0
  }

  func nextStandard(_ entry: inout v4l2_standard) -> Int32 {
    guard let standards = current?.standards, !standards.isEmpty else { return ENODATA }
    guard entry.index < standards.count else { return EINVAL }
    Self.write(standards[Int(entry.index)].name, into: &entry.name)
    entry.id = standards[Int(entry.index)].id
    return 0
  }

  func setStandard(_ id: UInt64) -> Int32 {
    guard let standards = current?.standards, !standards.isEmpty else { return ENODATA }
    guard standards.contains(where: { $0.id & id != 0 }) else { return EINVAL }
    standard = id
    return 0
  }

  func queryStandard(_ id: inout UInt64) -> Int32 {
    guard !(current?.standards.isEmpty ?? true) else { return ENODATA }
    id &= detectedStandard
    return 0
  }

  func getTimings(_ given: inout v4l2_dv_timings) -> Int32 {
    guard hasTimings else { return ENODATA }
    given = timings
    return 0
  }

  func setTimings(_ given: v4l2_dv_timings) -> Int32 {
    guard hasTimings else { return ENODATA }
    guard buffers.isEmpty else { return EBUSY }
    timings = given
    return 0
  }

  func queryTimings(_ given: inout v4l2_dv_timings) -> Int32 {
    guard hasTimings else { return ENODATA }
    switch signal {
    case .none(let errno): return errno
    case .timings(let timings): given = timings
    }
    return 0
  }

  func subscribe(_ subscription: v4l2_event_subscription) -> Int32 {
    guard !inputs.isEmpty else { return EINVAL }
    subscriptions.append((subscription.type, subscription.id))
    return 0
  }

  func nextEvent(_ event: inout v4l2_event) -> Int32 {
    guard !events.isEmpty else { return ENOENT }
    let (type, changes) = events.removeFirst()
    event.type = type
    event.u.src_change.changes = changes
    return 0
  }
}
