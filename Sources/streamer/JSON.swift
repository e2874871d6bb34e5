/// A JSON value (RFC 8259) to be printed; the keys of an object keep their order.
enum JSON: CustomStringConvertible {
  case string(String)
  case number(Double)
  case integer(UInt64)
  case bool(Bool)
  case null
  case array([JSON])
  case object([(String, JSON)])

  var description: String {
    switch self {
    case .string(let text): Self.quoted(text)
    case .number(let value): value.isFinite ? Self.decimal(value) : "null"
    case .integer(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .null: "null"
    case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { "\(Self.quoted($0)): \($1)" }.joined(separator: ", ") + "}"
    }
  }

  private static func decimal(_ value: Double) -> String {
    let rounded = (value * 1000).rounded() / 1000
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
