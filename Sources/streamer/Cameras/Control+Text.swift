import V4L2Capture

extension Control {
  /// For people, such as `brightness=0 to 255 (default 128, now 130)`.
  func text(now: Int64?) -> String {
    let takes =
      switch kind {
      case .button: "anything"
      case .boolean: "on|off"
      case .menu, .integerMenu: choices.map { "\($0.index) (\($0.name))" }.joined(separator: "|")
      case .integer, .bitmask: limits
      }
    var facts: [String] = kind == .button ? [] : ["default \(shown(initial))"]
    if let now { facts.append("now \(shown(now))") }
    if isInactive { facts.append("inactive") }
    if isReadOnly { facts.append("read-only") }
    return "\(name)=\(takes)" + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))")
  }

  private func shown(_ value: Int64) -> String { kind == .boolean ? (value == 0 ? "off" : "on") : "\(value)" }

  /// For programs.
  func json(now: Int64?) -> JSON {
    .object([
      ("name", .string(name)), ("type", .string(kind.rawValue)), ("minimum", .number(Double(range.lowerBound))),
      ("maximum", .number(Double(range.upperBound))), ("step", .integer(step)),
      ("default", .number(Double(initial))), ("value", now.map { .number(Double($0)) } ?? .null),
      (
        "menu",
        .array(choices.map { .object([("index", .number(Double($0.index))), ("name", .string($0.name))]) })
      ), ("inactive", .bool(isInactive)), ("read_only", .bool(isReadOnly)),
    ])
  }
}
