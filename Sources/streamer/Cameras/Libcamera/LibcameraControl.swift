import CLibcameraBridge
import LinuxIO
import V4L2Capture

/// A control of libcamera's: brightness, exposure and the like, by the names that libcamera has.
struct LibcameraControl {
  enum Kind: String {
    case boolean, integer, float, rectangle
    /// What is no number.
    case other
  }

  let name: String
  let kind: Kind
  /// How many numbers it takes; 0: any.
  let count: Int
  /// nil where libcamera does not say.
  let range: ClosedRange<Double>?
  let initial: Double?
  /// Of a menu; before libcamera 0.4 without names.
  let choices: [(value: Double, name: String)]

  /// How long a frame takes, at least and at most: microseconds.
  static let frameDuration = "FrameDurationLimits"
  /// Who moves the lens.
  static let focusMode = "AfMode"
  /// Where the lens is: it is heeded in the manual mode alone, which is the default.
  static let lensPosition = "LensPosition"

  init(
    name: String, kind: Kind, count: Int = 1, range: ClosedRange<Double>? = nil, initial: Double? = nil,
    choices: [(value: Double, name: String)] = []
  ) {
    self.name = name
    self.kind = kind
    self.count = count
    self.range = range
    self.initial = initial
    self.choices = choices
  }

  init(_ told: lcb_control) {
    let kind: Kind =
      switch told.kind {
      case LCB_SWITCH: .boolean
      case LCB_INTEGER: .integer
      case LCB_FRACTION: .float
      case LCB_RECTANGLE: .rectangle
      default: .other
      }
    self.init(
      name: String(cString: told.name).printable, kind: kind, count: Int(told.count),
      range: told.minimum <= told.maximum ? told.minimum...told.maximum : nil,
      initial: told.initial.isNaN ? nil : told.initial,
      choices: UnsafeBufferPointer(start: told.choices, count: Int(told.choice_count)).map {
        ($0.value, String(cString: $0.name).printable)
      })
  }

  /// The numbers that a text stands for, such as `1.5`, `on` or `1.5,2`.
  /// - Throws: what is right instead.
  func numbers(_ text: String) throws(ControlRefusal) -> [Double] {
    guard kind != .other else { throw ControlRefusal("it takes what can't be said here") }
    var numbers: [Double] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      numbers.append(try number(String(word)))
    }
    // Several rectangles stand behind each other.
    guard count == 0 ? kind != .rectangle || numbers.count % 4 == 0 : numbers.count == count else {
      throw ControlRefusal("it takes \(takes)")
    }
    return numbers
  }

  private func number(_ word: String) throws(ControlRefusal) -> Double {
    if let choice = choices.first(where: { $0.name.lowercased() == word.lowercased() && !word.isEmpty }) {
      return choice.value
    }
    guard let number = kind == .boolean ? Control.switches[word.lowercased()].map({ Double($0) }) : Double(word),
      number.isFinite, kind == .float || number == number.rounded()
    else { throw ControlRefusal("it takes \(takes)") }
    if !choices.isEmpty, !choices.contains(where: { $0.value == number }) { throw ControlRefusal("it takes \(takes)") }
    if let range, kind != .boolean, kind != .rectangle, !range.contains(number) {
      throw ControlRefusal("it takes \(takes)")
    }
    return number
  }

  /// What is right, such as `-1 to 1` or `2 numbers, 33333 to 120000`.
  private var takes: String {
    let many = count == 1 ? "" : count == 0 ? "numbers with commas between" : "\(count) numbers with commas between"
    let each: String
    if !choices.isEmpty {
      each = "one of " + choices.map { Self.text($0) }.joined(separator: ", ")
    } else if kind == .boolean {
      each = "on or off"
    } else if kind == .rectangle {
      return "x,y,width,height in pixels"
    } else if let range {
      each = "\(JSON.number(range.lowerBound)) to \(JSON.number(range.upperBound))"
    } else {
      each = count == 1 ? (kind == .integer ? "a whole number" : "a number") : ""
    }
    return [many, each].filter { !$0.isEmpty }.joined(separator: ", ")
  }

  private static func text(_ choice: (value: Double, name: String)) -> String {
    "\(JSON.number(choice.value))" + (choice.name.isEmpty ? "" : " (\(choice.name))")
  }
}

extension LibcameraControl {
  /// For people, such as `Brightness=-1 to 1 (default 0)`.
  var text: String {
    let takes =
      choices.isEmpty
      ? (kind == .boolean ? "on|off" : kind == .other ? "what can't be set here" : self.takes)
      : choices.map { Self.text($0) }.joined(separator: "|")
    guard let initial else { return "\(name)=\(takes)" }
    let shown = kind == .boolean ? (initial == 0 ? "off" : "on") : "\(JSON.number(initial))"
    return "\(name)=\(takes) (default \(shown))"
  }

  /// For programs: as a V4L2 control's, and how many numbers it takes.
  var json: JSON {
    .object([
      ("name", .string(name)), ("type", .string(kind.rawValue)), ("count", .integer(UInt64(count))),
      ("minimum", range.map { .number($0.lowerBound) } ?? .null),
      ("maximum", range.map { .number($0.upperBound) } ?? .null), ("default", initial.map { .number($0) } ?? .null),
      ("menu", .array(choices.map { .object([("index", .number($0.value)), ("name", .string($0.name))]) })),
    ])
  }
}
