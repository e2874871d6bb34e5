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
      throw Self.explain(error)
    }
    options = result.options
    if let first = result.operands.first, let verb = Verb(rawValue: first) {
      self.verb = verb
      operands = Array(result.operands.dropFirst())
    } else {
      verb = .stream
      operands = result.operands
    }
    for (name, _) in options {
      let entry = OptionEntry.all.first { $0.name == name }
      guard entry?.verbs.contains(verb) ?? false else {
        throw UsageError(
          "--\(name) is no option of 'streamer \(verb.rawValue)'; see 'streamer \(verb.rawValue) --help'")
      }
    }
  }

  func has(_ name: String) -> Bool { options.contains { $0.name == name } }

  /// All values of an option that may be repeated.
  func values(_ name: String) -> [String] { options.filter { $0.name == name }.map(\.value) }

  /// The last value of an option as what it stands for.
  /// - Parameters:
  ///   - expected: for the error: what is right.
  ///   - read: nil where the text is wrong.
  func value<Value>(
    _ name: String, expected: String, _ read: (String) -> Value?
  ) throws(UsageError) -> Value? {
    guard let text = values(name).last else { return nil }
    guard let value = read(text) else { throw UsageError("--\(name) '\(text)': expected \(expected)") }
    return value
  }

  /// A whole number in a range.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
    try value(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  private static func explain(_ failure: OptionReader.Failure) -> UsageError {
    switch failure {
    case .unknown(let word):
      let names = OptionEntry.all.map { "--" + $0.name }
      let nearest = names.min { word.editDistance(to: $0) < word.editDistance(to: $1) }
      let hint = nearest.flatMap { word.editDistance(to: $0) <= max(2, word.count / 3) ? "; did you mean \($0)?" : nil }
      return UsageError("unknown option \(word)\(hint ?? "; see 'streamer --help'")")
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
