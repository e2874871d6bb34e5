import LinuxIO
import Statistics

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

  /// An object's member.
  subscript(_ key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.0 == key }?.1
  }

  /// What it is as a number.
  var number: Double? {
    switch self {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: nil
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
      case _ where !scalar.isPrintable:
        for unit in UTF16.encode(scalar) ?? .init() {
          let digits = String(unit, radix: 16)
          quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension Distribution {
  /// In microseconds, for programs; the intervals are of 95 % confidence, without an end where there are too few to tell.
  var json: JSON {
    func microseconds(_ value: UInt64?) -> JSON { value.map { .number(Double($0) / 1000) } ?? .null }
    let values = Self.parts.map { ($0.name, microseconds(percentile($0.part))) }
    let intervals = Self.parts.map { part in
      let (low, high) = interval(part.part)
      return (part.name, JSON.array([microseconds(low), microseconds(high)]))
    }
    return .object(
      [("min", microseconds(min))] + values + [("max", microseconds(max)), ("confidence_95", .object(intervals))])
  }
}
