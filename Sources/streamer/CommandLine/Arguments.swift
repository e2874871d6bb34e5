import LinuxIO

/// The command line's words, sorted: verb, operands, options.
struct Arguments {
  let verb: Verb
  let operands: [String]
  private let options: [(name: String, value: String)]

  init(_ words: [String]) throws(UsageError) {
    let table = OptionEntry.all.map { OptionReader.Option(name: $0.name, takesValue: $0.value != nil) }
    let words = words.map { $0 == "-h" ? "--help" : $0 }
    let result: OptionReader.Result
    do throws(OptionReader.Failure) {
      result = try OptionReader.read(words, options: table)
    } catch {
      throw Self.explain(error, words)
    }
    options = result.options
    if let first = result.operands.first, let verb = Verb(rawValue: first) {
      self.verb = verb
      operands = Array(result.operands.dropFirst())
    } else {
      verb = .stream
      operands = result.operands
    }
    for (name, value) in options { try check(name, value) }
    if verb != .stream, let word = operands.first, ["help", "version"].contains(word) {
      throw UsageError("'\(word)' is an option: write '\(verb.command) --\(word)'")
    }
  }

  /// The option belongs to the verb, and did not take the next option for its value.
  private func check(_ name: String, _ value: String) throws(UsageError) {
    let verbs = OptionEntry.all.first { $0.name == name }?.verbs ?? []
    guard verbs.contains(verb) else {
      throw UsageError(
        "--\(name) is no option of '\(verb.command)' but of \(verbs.map { "'\($0.command)'" }.joined(separator: ", "))"
          + "; see '\(verb.command) --help'")
    }
    let other = value.hasPrefix("--") ? value.dropFirst(2).prefix { $0 != "=" } : ""
    guard !OptionEntry.all.contains(where: { $0.name == other }) else {
      throw UsageError("--\(name) needs a value, and \(value) is an option; see '\(verb.command) --help'")
    }
  }

  func has(_ name: String) -> Bool { options.contains { $0.name == name } }

  /// All values of an option that may be repeated.
  func values(_ name: String) -> [String] { options.filter { $0.name == name }.map(\.value) }

  /// The last value of an option as what it stands for.
  /// - Parameters:
  ///   - expected: for the error: what is right.
  ///   - hint: for the error: what to write in place of a text.
  ///   - read: nil where the text is wrong.
  func value<Value>(
    _ name: String, expected: String, hint: (String) -> String? = { _ in nil }, _ read: (String) -> Value?
  ) throws(UsageError) -> Value? {
    guard let text = values(name).last else { return nil }
    guard let value = read(text) else {
      throw UsageError("--\(name) '\(text)': expected \(expected)" + (hint(text).map { "; \($0)" } ?? ""))
    }
    return value
  }

  /// A number in a range.
  /// - Parameter unit: with the range, for the error, such as `seconds`.
  func number(_ name: String, of unit: String, in range: ClosedRange<Double>) throws(UsageError) -> Double? {
    let ends = [range.lowerBound, range.upperBound].map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }
    return try value(name, expected: "\(unit) from \(ends[0]) to \(ends[1])") { text in
      Double(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// The name of a file.
  func path(_ name: String) throws(UsageError) -> String? {
    try value(name, expected: "a file's name") { $0.isEmpty ? nil : $0 }
  }

  /// A whole number in a range.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
    try value(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  private static func explain(_ failure: OptionReader.Failure, _ words: [String]) -> UsageError {
    switch failure {
    case .unknown(let name):
      // Of `-size` getopt tells the first letter.
      let isLetter = !name.hasPrefix("--")
      let word = words.first { isLetter && $0.hasPrefix(name) && $0.count > 2 } ?? name
      return UsageError(
        "unknown option \(word); \(NearMiss.option(word, words.lazy.compactMap { Verb(rawValue: $0) }.first ?? .stream) ?? "see 'streamer --help'")"
      )
    case .missingValue(let word): return UsageError("\(word) needs a value; see 'streamer --help'")
    case .unexpectedValue(let word): return UsageError("\(word) takes no value")
    }
  }
}

extension String {
  /// How many characters must be put in, left out or changed to make the other text (Levenshtein).
  func editDistance(to other: String) -> Int {
    let other = Array(other)
    var row = Array(0...other.count)
    for (line, character) in enumerated() {
      var diagonal = row[0]
      row[0] = line + 1
      for column in other.indices {
        let change = diagonal + (character == other[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = Swift.min(change, row[column] + 1, diagonal + 1)
      }
    }
    return row[other.count]
  }
}
