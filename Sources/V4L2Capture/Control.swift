import CLinux
import LinuxIO

/// A control of a camera (struct v4l2_query_ext_ctrl): brightness, exposure and the like.
public struct Control: Equatable, Sendable {
  public enum Kind: String, Sendable {
    case integer, boolean, menu, bitmask, button
    /// A menu of numbers.
    case integerMenu = "integer_menu"
  }

  /// One that a menu has.
  public struct Choice: Equatable, Sendable {
    /// What sets it.
    public let index: Int64
    public let name: String

    public init(index: Int64, name: String) {
      self.index = index
      self.name = name
    }
  }

  /// The kernel's number for it (V4L2_CID_*).
  let id: UInt32
  /// As v4l2-ctl shows it, such as `exposure_time_absolute`.
  public let name: String
  public let kind: Kind
  /// Of a menu, of the indexes.
  public let range: ClosedRange<Int64>
  public let step: UInt64
  public let initial: Int64
  /// A menu's; drivers may leave some out.
  public let choices: [Choice]
  /// The driver sets it.
  public let isReadOnly: Bool
  /// It has no effect now: mostly since an automatic one is on.
  public let isInactive: Bool
  /// The camera changes it itself.
  let isVolatile: Bool
  /// It has 64 bits.
  let isWide: Bool

  public init(
    id: UInt32 = 0, name: String, kind: Kind, range: ClosedRange<Int64>, step: UInt64 = 1, initial: Int64 = 0,
    choices: [Choice] = [], isReadOnly: Bool = false, isInactive: Bool = false, isVolatile: Bool = false,
    isWide: Bool = false
  ) {
    self.id = id
    self.name = name
    self.kind = kind
    self.range = range
    self.step = step
    self.initial = initial
    self.choices = choices
    self.isReadOnly = isReadOnly
    self.isInactive = isInactive
    self.isVolatile = isVolatile
    self.isWide = isWide
  }

  /// The number that a text stands for.
  /// - Parameter text: a number, also in hexadecimal (0x1F); of a switch on or off, too; of a menu the choice's name, too.
  /// - Throws: what is right instead.
  public func value(_ text: String) throws(ControlRefusal) -> Int64 {
    guard !isReadOnly else { throw ControlRefusal("it can only be read") }
    switch kind {
    case .button: return 1
    case .boolean:
      guard let value = Self.switches[text.lowercased()] else { throw ControlRefusal("it takes on or off") }
      return value
    case .menu, .integerMenu:
      // A menu of numbers may have one that is another one's index: the index is what v4l2-ctl takes.
      let wanted = Self.plain(text)
      guard
        let choice = choices.first(where: { "\($0.index)" == text })
          ?? choices.first(where: { Self.plain($0.name) == wanted })
      else {
        throw ControlRefusal("it takes one of " + choices.map { "\($0.index) (\($0.name))" }.joined(separator: ", "))
      }
      return choice.index
    case .integer, .bitmask:
      guard let value = Self.number(text) else { throw ControlRefusal("it takes a whole number, \(limits)") }
      guard range.contains(value) else { throw ControlRefusal("it takes \(limits)") }
      return value
    }
  }

  /// Such as `0 to 255 in steps of 5`.
  public var limits: String { "\(range.lowerBound) to \(range.upperBound)" + (step > 1 ? " in steps of \(step)" : "") }

  /// What a switch takes.
  public static let switches: [String: Int64] = [
    "0": 0, "off": 0, "false": 0, "no": 0, "1": 1, "on": 1, "true": 1, "yes": 1,
  ]

  private static func number(_ text: String) -> Int64? {
    let isHex = text.lowercased().hasPrefix("0x")
    return isHex ? Int64(text.dropFirst(2), radix: 16) : Int64(text)
  }

  /// A control's name for `--set`; one without a letter or digit of ASCII has its number instead.
  static func name(_ told: String, id: UInt32) -> String {
    let name = plain(told)
    return name.isEmpty ? "control_0x\(String(id, radix: 16))" : name
  }

  /// A name as v4l2-ctl shows it: letters and digits in lower case, with `_` for all between.
  static func plain(_ name: String) -> String {
    let words = name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    return words.joined(separator: "_")
  }
}

/// What a control was set to.
public struct ControlValue: Sendable {
  public let control: Control
  /// As the driver made it.
  public let number: Int64

  public init(control: Control, number: Int64) {
    self.control = control
    self.number = number
  }
}

/// Why a control does not take a value: what it takes.
public struct ControlRefusal: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
