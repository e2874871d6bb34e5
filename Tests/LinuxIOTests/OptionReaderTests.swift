import Testing

@testable import LinuxIO

@Suite struct OptionReaderTests {
  private let table = [
    OptionReader.Option(name: "to", takesValue: true), OptionReader.Option(name: "json", takesValue: false),
    OptionReader.Option(name: "stats", takesValue: true), OptionReader.Option(name: "size", takesValue: true),
  ]

  private func read(_ words: String...) throws -> (options: [String], operands: [String]) {
    let result = try OptionReader.read(words, options: table)
    return (result.options.map { "\($0.name)=\($0.value)" }, result.operands)
  }

  @Test func readsInAnyOrder() throws {
    let first = try read("cam", "--to", "a:1", "--json", "cam2", "--to=b:2")
    #expect(first.options == ["to=a:1", "json=", "to=b:2"] && first.operands == ["cam", "cam2"])
    let ended = try read("--json", "--", "--to", "x")
    #expect(ended.options == ["json="] && ended.operands == ["--to", "x"])
    let short = try read("--siz", "1x1")
    #expect(short.options == ["size=1x1"])
    let none = try read()
    #expect(none.options.isEmpty && none.operands.isEmpty)
  }

  @Test func saysWhatIsWrong() {
    #expect(throws: OptionReader.Failure.unknown("--nope")) { try self.read("cam", "--nope", "--json") }
    #expect(throws: OptionReader.Failure.unknown("--nope")) { try self.read("--nope=3") }
    #expect(throws: OptionReader.Failure.unknown("-x")) { try self.read("-x") }
    #expect(throws: OptionReader.Failure.unknown("-x")) { try self.read("cam", "-xyz") }
    #expect(throws: OptionReader.Failure.missingValue("--to")) { try self.read("cam", "--to") }
    #expect(throws: OptionReader.Failure.unexpectedValue("--json")) { try self.read("--json=5") }
    // Neither --stats nor --size.
    #expect(throws: OptionReader.Failure.unknown("--s")) { try self.read("--s", "1") }
  }
}
