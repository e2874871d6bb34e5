import Testing

@testable import streamer

@Suite struct CommandLineTests {
  private func options(_ words: String...) throws -> StreamOptions { try StreamOptions(Arguments(words)) }

  /// What is said of a command line that is wrong; empty where it is not.
  private func complaint(_ words: [String]) -> String {
    do {
      let arguments = try Arguments(words)
      switch arguments.verb {
      case .stream, .sdp: _ = try StreamOptions(arguments)
      case .bench where arguments.has("glass-page"): _ = try GlassPage(arguments)
      case .bench: _ = try BenchOptions(arguments)
      case .receive: _ = try ReceiveOptions(arguments)
      case .list: _ = try ListCommand(arguments)
      }
      return ""
    } catch { return "\(error)" }
  }

  @Test func defaultsAreTheContracts() throws {
    let options = try options("/dev/video0", "--to", "host:5000")
    #expect(options.cameras == [.device("/dev/video0")])
    #expect(options.endpoints.map(\.host) == ["host"] && options.endpoints.map(\.port) == [5000])
    #expect(
      options.packetSize == .upTo(1400) && options.payloadType == 26 && options.buffers == 4
        && options.encoding.quality == nil)
    #expect(options.request.size == nil && options.request.rate == nil && options.cpu == nil)
  }

  @Test func optionsAreRead() throws {
    let options = try options(
      "stream", "test:", "file:a/b", "--to", "[::1]:5001", "--to=1.2.3.4:9", "--size", "640x480", "--fps", "7.5",
      "--mtu", "1200", "--payload-type", "96", "--ssrc", "0xCAFE", "--cpu", "3", "--stats", "0.5", "--format", "MJPG")
    #expect(options.cameras == [.test, .file("a/b")])
    #expect(options.endpoints.map(\.host) == ["::1", "1.2.3.4"])
    #expect(options.request.size?.description == "640x480" && options.request.rate?.description == "7.5")
    #expect(
      options.packetSize == .fixed(1200) && options.payloadType == 96 && options.ssrc == 0xCAFE && options.cpu == 3)
    #expect(options.statsSeconds == 0.5 && options.request.format == .mjpeg)
  }

  /// Every complaint names the word that is wrong.
  @Test func complaintsNameTheWord() {
    let wrong: [([String], String)] = [
      ([], "no camera"), (["test:"], "--to"), (["test:", "--to", "host"], "no port"),
      (["test:", "--to", ":5000"], "no host"), (["test:", "--to", "host:0"], "'0'"),
      (["test:", "--to", "host:65536"], "'65536'"), (["test:", "--to", "host:x"], "'x'"),
      (["test:", "--to", "fd00::1:5000"], "brackets"), (["test:", "--to", "[fd00::1]"], "no port"),
      (["test:", "--to", "[fd00::1:5000"], "brackets"), (["test:", "--to", "h:1", "--size", "big"], "--size 'big'"),
      (["test:", "--to", "h:1", "--fps", "0"], "--fps '0'"), (["test:", "--to", "h:1", "--mtu", "100"], "--mtu '100'"),
      (["test:", "--to", "h:1", "--quality", "101"], "--quality '101'"),
      (["test:", "--to", "h:1", "--payload-type", "128"], "--payload-type '128'"),
      (["test:", "--to", "h:1", "--ssrc", "xyz"], "--ssrc 'xyz'"),
      (["test:", "--to", "h:1", "--format", "h264"], "--format 'h264'"),
      (["test:", "--to", "h:1", "--buffers", "1"], "--buffers '1'"),
      (["test:", "--to", "h:1", "--log-level", "loud"], "--log-level 'loud'"),
      (["test:", "--two", "h:1"], "did you mean --to?"), (["test:", "--xyzzyxyzzy"], "--xyzzyxyzzy"),
      (["video0", "--to", "h:1"], "'video0'"), (["file:", "--to", "h:1"], "file:"),
      (["libcamera:", "--to", "h:1"], "libcamera: needs a camera"),
      (["/dev/video0", "/dev/video0", "--to", "h:1"], "twice"),
      (["receive"], "no port"), (["receive", "5000", "6000"], "'6000'"), (["receive", "5000", "--to", "h:1"], "--to"),
      (["receive", "5000", "--frames", "0"], "--frames '0'"), (["list", "x"], "'x'"),
      (["list", "--out", "d"], "--out"), (["test:", "--to", "h:65535"], "--rtcp-mux"),
      (["test:", "test:", "--to", "h:65533"], "65536"), (["test:", "test:", "--to", "h:65534", "--rtcp-mux"], "65536"),
      (["test:", "--to", "h:1", "--dscp", "AF51"], "--dscp 'AF51'"),
      (["test:", "--to", "h:1", "--dscp", "64"], "--dscp '64'"),
      (["test:", "--to", "h:1", "--interface", "no0"], "--interface 'no0'"),
      (["test:", "--to", "h:1", "--pace", "fast"], "--pace 'fast'"),
      (["test:", "--to", "h:1", "--ttl", "256"], "--ttl '256'"),
      (["test:", "--to", "h:1", "--realtime", "0"], "--realtime '0'"),
      (["test:", "--to", "h:1", "--mtu", "199"], "--mtu '199'"),
      (["bench", "--glass-page", ""], "--glass-page ''"), (["bench", "test:", "--glass-page", "a"], "'test:'"),
      (["test:", "--to", "h:1", "--glass"], "--glass"),
    ]
    for (words, part) in wrong {
      let said = complaint(words)
      #expect(said.contains(part), "\(words): \(said)")
    }
  }

  @Test func aSecondCameraHasItsOwn() throws {
    let options = try options("test:", "test:", "--to", "127.0.0.1:5000", "--ssrc", "ffffffff", "--cpu", "1")
    let second = try StreamSettings(options, camera: 1)
    #expect(second.destinations.map(\.port) == [5002] && second.ssrc == 0 && second.cpu == 2)
    #expect(try self.options("test:", "test:", "--to", "127.0.0.1:65532").cameras.count == 2)
    #expect(try self.options("test:", "--to", "127.0.0.1:65535", "--rtcp-mux").isMuxed)
  }

  @Test func everyOptionIsExplained() {
    for verb in Verb.allCases {
      let help = Help.text(for: verb)
      for option in OptionEntry.all where option.verbs.contains(verb) { #expect(help.contains("--\(option.name)")) }
    }
  }
}

@Suite struct JSONTests {
  @Test func isJSON() {
    let value = JSON.object([
      ("a", .array([.integer(1), .number(2.5), .number(3), .number(.nan), .null, .bool(true)])),
      ("b\"\n", .string("x\\\u{1}é")),
    ])
    #expect(value.description == #"{"a": [1, 2.5, 3, null, null, true], "b\"\u000a": "x\\\u0001é"}"#)
  }

  /// Readers show what a device calls itself: nothing in it is more than text.
  @Test func whatIsNotToBeShownIsEscaped() {
    let name = JSON.string("\u{7F}\u{9B}\u{202E}\u{2028}\u{E0041}")
    #expect(name.description == #""\u007f\u009b\u202e\u2028\udb40\udc41""#)
  }

  @Test(arguments: [("0", 0), ("63", 63), ("EF", 46), ("af41", 34), ("AF11", 10), ("CS5", 40), ("cs0", 0), ("LE", 1)])
  func classesOfService(text: String, number: Int) { #expect(ServiceClass.number(text) == number) }

  @Test(arguments: ["", "-1", "64", "CS8", "AF00", "AF44", "AF1", "CS", "EF1", "x"])
  func whatIsNoClassOfService(text: String) { #expect(ServiceClass.number(text) == nil) }
}
