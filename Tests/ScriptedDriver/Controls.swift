import CLinux
import CScriptedDriver
import Glibc

extension ScriptedDriver {
  /// Gives it a control, with a value that is its default.
  public func add(
    _ name: String, id: UInt32, type: v4l2_ctrl_type, _ minimum: Int64, _ maximum: Int64, step: UInt64 = 1,
    initial: Int64 = 0, flags: UInt32 = 0, menu: [UInt32: String] = [:]
  ) {
    var control = v4l2_query_ext_ctrl()
    control.id = id
    control.type = type.rawValue
    Self.write(name, into: &control.name)
    (control.minimum, control.maximum, control.step) = (minimum, maximum, step)
    control.default_value = initial
    control.flags = flags
    controls.append(control)
    values[id] = initial
    if !menu.isEmpty { menus[id] = Menu(menu) }
  }

  func nextControl(_ query: inout v4l2_query_ext_ctrl) -> Int32 {
    let next = UInt32(V4L2_CTRL_FLAG_NEXT_COMPOUND) | SCRIPTED_NEXT_CTRL
    let id = query.id & ~next
    let isNext = query.id & next != 0
    guard let found = controls.first(where: { isNext ? $0.id > id : $0.id == id }) else { return EINVAL }
    query = found
    return 0
  }

  func menu(_ given: inout v4l2_querymenu) -> Int32 {
    guard let item = menus[given.id]?.items[given.index] else { return EINVAL }
    if isOf(V4L2_CTRL_TYPE_INTEGER_MENU, given.id) {
      scripted_set_number(&given, Int64(item) ?? 0)
    } else {
      scripted_set_name(&given, item)
    }
    return 0
  }

  func value(_ list: inout v4l2_ext_controls, sets: Bool) -> Int32 {
    guard list.count == 1, let control = list.controls else { return EINVAL }
    let id = control.pointee.id
    guard let value = values[id] else { return EINVAL }
    let isWide = isOf(V4L2_CTRL_TYPE_INTEGER64, id)
    if sets {
      values[id] = scripted_value(control, isWide)
    } else {
      scripted_set_value(control, isWide, value)
    }
    return 0
  }

  private func isOf(_ type: v4l2_ctrl_type, _ id: UInt32) -> Bool {
    controls.first { $0.id == id }?.type == type.rawValue
  }
}
