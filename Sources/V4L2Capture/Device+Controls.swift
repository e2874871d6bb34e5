import CLinux
import LinuxIO

extension Device {
  /// All controls with a single number (VIDIOC_QUERY_EXT_CTRL, QUERYMENU), in the driver's order; none where it has none.
  /// One that fails, as when a USB camera stalls, does not hide those after it.
  public func controls() -> [Control] {
    var found: [Control] = []
    var last: UInt32 = 0
    var failures = 0
    for _ in 0..<Self.mostControls {
      var query = v4l2_query_ext_ctrl()
      query.id = last | CLINUX_CTRL_FLAG_NEXT_CTRL
      switch descriptor.control(CLINUX_VIDIOC_QUERY_EXT_CTRL, &query) {
      case nil:
        // A driver that goes back would never end.
        guard query.id > last else { return found }
      case .invalidArgument, .notTTY, .noDevice: return found
      default:
        failures += 1
        guard failures <= Self.mostFailures, let next = firstKnown(after: last) else { return found }
        query = next
      }
      last = query.id
      if let control = control(query) { found.append(control) }
    }
    return found
  }

  /// The first control after `last` that a driver has, asked for by its own id: one that fails has no type, and is skipped.
  private func firstKnown(after last: UInt32) -> v4l2_query_ext_ctrl? {
    for id in Self.near(last) + Self.knownIDs where id > last {
      var query = v4l2_query_ext_ctrl()
      query.id = id
      switch descriptor.control(CLINUX_VIDIOC_QUERY_EXT_CTRL, &query) {
      case nil: return query
      case .invalidArgument: continue
      default:
        query = v4l2_query_ext_ctrl()
        query.id = id
        return query
      }
    }
    return nil
  }

  private static func near(_ id: UInt32) -> [UInt32] { (1...64).map { id &+ $0 } }

  /// By class (V4L2_CTRL_CLASS_*): the kernel's own ids, and those of drivers.
  private static var knownIDs: [UInt32] {
    (0x98...0xA5).flatMap { group in
      [0x900..<0x980, 0x1000..<0x1300].flatMap { $0.map { group << 16 | $0 } }
    }
  }

  /// Each may take as long as a USB camera's time limit.
  private static let mostFailures = 16

  /// A control as it is now: setting another one may have made it active.
  public func refreshed(_ control: Control) -> Control {
    var query = v4l2_query_ext_ctrl()
    query.id = control.id
    guard descriptor.control(CLINUX_VIDIOC_QUERY_EXT_CTRL, &query) == nil else { return control }
    return self.control(query) ?? control
  }

  private static let mostControls = 4096
  private static let mostChoices = 1024

  private func control(_ query: v4l2_query_ext_ctrl) -> Control? {
    guard query.flags & UInt32(V4L2_CTRL_FLAG_DISABLED) == 0, query.nr_of_dims == 0, let kind = Control.Kind(query.type)
    else { return nil }
    let isBits = kind == .bitmask
    let (low, high) = isBits ? (0, query.maximum & 0xFFFF_FFFF) : (query.minimum, query.maximum)
    return Control(
      id: query.id, name: Control.name(withUnsafeBytes(of: query.name) { String(field: $0) }, id: query.id), kind: kind,
      range: low...max(low, high), step: query.step,
      initial: isBits ? query.default_value & 0xFFFF_FFFF : query.default_value,
      choices: choices(of: query.id, kind, low...max(low, high)),
      isReadOnly: query.flags & UInt32(V4L2_CTRL_FLAG_READ_ONLY) != 0,
      isInactive: query.flags & UInt32(V4L2_CTRL_FLAG_INACTIVE) != 0,
      isVolatile: query.flags & UInt32(V4L2_CTRL_FLAG_VOLATILE) != 0,
      isWide: query.type == V4L2_CTRL_TYPE_INTEGER64.rawValue)
  }

  private func choices(of id: UInt32, _ kind: Control.Kind, _ range: ClosedRange<Int64>) -> [Control.Choice] {
    guard kind == .menu || kind == .integerMenu else { return [] }
    // An index has 32 bits, and a menu that a driver makes endless is cut short.
    let first = max(0, range.lowerBound)
    let indexes = range.clamped(to: first...max(first, Int64(UInt32.max))).prefix(Self.mostChoices)
    return indexes.compactMap { index in
      guard let number = UInt32(exactly: index) else { return nil }
      var menu = v4l2_querymenu()
      menu.id = id
      menu.index = number
      // Those that the camera has not are left out.
      guard descriptor.control(CLINUX_VIDIOC_QUERYMENU, &menu) == nil else { return nil }
      let name = kind == .integerMenu ? "\(clinux_menu_value(&menu))" : Self.name(of: &menu)
      return Control.Choice(index: index, name: name)
    }
  }

  /// A driver may leave it without a zero at its end.
  private static func name(of menu: inout v4l2_querymenu) -> String {
    String(field: UnsafeRawBufferPointer(start: clinux_menu_name(&menu), count: CLINUX_MENU_NAME_SIZE))
  }

  /// What a control is set to (VIDIOC_G_EXT_CTRLS); nil where that can't be read.
  public func value(of control: Control) -> Int64? {
    var value = clinux_control(control.id, control.isWide ? 1 : 0, 0)
    guard control.kind != .button, transfer(CLINUX_VIDIOC_G_EXT_CTRLS, &value) == nil else { return nil }
    let number = clinux_control_value(&value, control.isWide ? 1 : 0)
    return control.kind == .bitmask ? number & 0xFFFF_FFFF : number
  }

  /// Sets a control (VIDIOC_S_EXT_CTRLS).
  /// - Returns: what the driver made of it.
  @discardableResult
  public func set(_ control: Control, to number: Int64) throws(CaptureError) -> Int64? {
    var value = clinux_control(control.id, control.isWide ? 1 : 0, number)
    if let errno = transfer(CLINUX_VIDIOC_S_EXT_CTRLS, &value) {
      throw CaptureError(
        SystemCallError(
          "VIDIOC_S_EXT_CTRLS", on: "\(path), \(control.name)=\(number)", errno,
          remedy: Self.remedy(errno, of: control)))
    }
    return self.value(of: control)
  }

  private static func remedy(_ errno: Errno, of control: Control) -> String? {
    if control.isInactive { return "it is inactive now: set the automatic one that rules it before" }
    // It is grabbed, as the kernel calls it: by this camera's stream, or by another control.
    guard errno == .busy else { return remedy(errno) }
    return "it cannot be changed now: stop the stream that uses the camera, or set the control that rules it before"
  }

  private func transfer(_ code: UInt, _ value: inout v4l2_ext_control) -> Errno? {
    withUnsafeMutablePointer(to: &value) { value in
      var list = v4l2_ext_controls()
      list.count = 1
      list.controls = value
      return descriptor.control(code, &list)
    }
  }

  /// Turns the picture over by the camera's own controls, or not.
  /// - Returns: what was set.
  public func flip(_ flip: Flip) throws(CaptureError) -> [ControlValue] {
    let controls = controls()
    var done: [ControlValue] = []
    for (id, wanted, way) in [
      (CLINUX_CID_HFLIP, flip.horizontally, "left to right"), (CLINUX_CID_VFLIP, flip.vertically, "upside down"),
    ] {
      if let control = controls.first(where: { $0.id == id && !$0.isReadOnly }) {
        let given = try set(control, to: wanted ? 1 : 0)
        done.append(ControlValue(control: control, number: given ?? (wanted ? 1 : 0)))
      } else if wanted {
        throw CaptureError(path, "it can't turn its picture \(way): it has no control for that ('streamer list')")
      }
    }
    return done
  }

  /// Sets again what the camera forgot: some set all their controls to the defaults when they start to stream.
  /// - Parameter values: what was set before, in this order.
  /// - Returns: what there is to report.
  public func restore(_ values: [ControlValue]) -> [String] {
    values.compactMap { value in
      let control = refreshed(value.control)
      guard !control.isVolatile, !control.isInactive, let now = self.value(of: control), now != value.number else {
        return nil
      }
      let forgotten = "it had forgotten \(control.name)=\(value.number) when its first frame came, and had \(now)"
      do throws(CaptureError) {
        let given = try set(control, to: value.number)
        return given == value.number ? "\(forgotten): it was set again" : "\(forgotten): it does not keep it"
      } catch { return "\(forgotten): \(error)" }
    }
  }
}

/// Which ways a picture is turned over; both are half a turn.
public struct Flip: Equatable, Sendable {
  public var horizontally: Bool
  public var vertically: Bool

  public init(horizontally: Bool = false, vertically: Bool = false) {
    self.horizontally = horizontally
    self.vertically = vertically
  }
}

extension Control.Kind {
  /// nil for those without a single number.
  fileprivate init?(_ type: UInt32) {
    switch type {
    case V4L2_CTRL_TYPE_INTEGER.rawValue, V4L2_CTRL_TYPE_INTEGER64.rawValue: self = .integer
    case V4L2_CTRL_TYPE_BOOLEAN.rawValue: self = .boolean
    case V4L2_CTRL_TYPE_MENU.rawValue: self = .menu
    case V4L2_CTRL_TYPE_INTEGER_MENU.rawValue: self = .integerMenu
    case V4L2_CTRL_TYPE_BITMASK.rawValue: self = .bitmask
    case V4L2_CTRL_TYPE_BUTTON.rawValue: self = .button
    default: return nil
    }
  }
}
