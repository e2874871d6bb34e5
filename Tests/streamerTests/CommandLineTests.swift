import LinuxIO
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
    let settings = options.first
    #expect(options.cameras == [.device("/dev/video0")])
    #expect(options.endpoints.map(\.host) == ["host"] && options.endpoints.map(\.port) == [5000])
    #expect(
      settings.session.packetSize == .upTo(1400) && settings.session.payloadType == 26 && settings.source.buffers == 4
        && settings.source.encoding.quality == nil)
    #expect(settings.source.request.size == nil && settings.source.request.rate == nil && settings.thread.cpu == nil)
  }

  @Test func optionsAreRead() throws {
    let options = try options(
      "stream", "test:", "file:a/b", "--to", "[::1]:5001", "--to=1.2.3.4:9", "--size", "640x480", "--fps", "7.5",
      "--mtu", "1200", "--payload-type", "96", "--ssrc", "0xCAFE", "--cpu", "0", "--stats", "0.5", "--format", "MJPG")
    let settings = options.first
    #expect(options.cameras == [.test, .file("a/b")])
    #expect(options.endpoints.map(\.host) == ["::1", "1.2.3.4"])
    let request = settings.source.request
    #expect(request.size?.description == "640x480" && request.rate?.description == "7.5")
    #expect(
      settings.session.packetSize == .fixed(1200) && settings.session.payloadType == 96 && settings.ssrc == 0xCAFE
        && settings.thread.cpu == 0)
    #expect(settings.thread.statsSeconds == 0.5 && settings.source.request.format == .mjpeg)
  }

  /// Every complaint names the word that is wrong.
  @Test func complaintsNameTheWord() {
    let wrong: [([String], String)] = [
      ([], "no camera"), (["test:"], "--to"), (["test:", "--to", "host"], "no port"),
      (["test:", "--to", ":5000"], "no host"), (["test:", "--to", "host:0"], "'0'"),
      (["test:", "--to", "host:65536"], "'65536'"), (["test:", "--to", "host:x"], "'x'"),
      (["test:", "--to", "fd00::1:5000"], "brackets"), (["test:", "--to", "[fd00::1]"], "no port"),
      (["test:", "--to", "[fd00::1:5000"], "brackets"),
      (["test:", "--to", "[[fd00::1]:5000"], "brackets"), (["test:", "--to", "a]:5000"], "brackets"),
      (["test:", "--to", "h:1", "--size", "big"], "--size 'big'"),
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
      (["test:", "--to", "h:1", "--interface", "no/0"], "--interface 'no/0'"),
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

  /// What users try, and what the answer tells them to write.
  @Test func nearMissesAreAnswered() {
    let misses: [([String], String)] = [
      (["help"], "'streamer --help'"), (["help", "bench"], "--help"), (["version"], "--version"),
      (["-v"], "--version"), (["-V"], "--version"), (["-?"], "--help"),
      // Verbs.
      (["recieve", "5000"], "'streamer receive'"), (["Receive", "5000"], "the verb comes first: streamer receive"),
      (["lst"], "'streamer list'"), (["test:", "bench"], "the verb comes first: streamer bench"),
      (["benchmark", "test:"], "neither"),
      // Cameras.
      (["video0"], "write /dev/video0"), (["video12"], "write /dev/video12"), (["dev/video0"], "write /dev/video0"),
      (["0"], "write /dev/video0"), (["v4l2:///dev/video0"], "write /dev/video0"), (["cam1"], "write /dev/video1"),
      (["test"], "write test:"), (["TEST:"], "write test:"), (["bench", "test"], "write test:"),
      (["clip.mjpeg"], "write file:clip.mjpeg"), (["/a/clip.MJPG"], "write file:/a/clip.MJPG"),
      (["./a.jpg"], "write file:./a.jpg"), (["bench", "clip.mjpeg"], "write file:clip.mjpeg"),
      (["libcamera"], "write libcamera:0"), (["libcamera1"], "write libcamera:1"), (["csi"], "write libcamera:0"),
      (["rtsp://h/s"], "no URLs"), (["-"], "standard input"),
      (["test:", "\u{2014}to", "h:1"], "write --to"), (["test:", "\u{2013}to=h:1"], "write --to"),
      (["test:", "192.168.1.20:5000"], "write --to 192.168.1.20:5000"),
      (["test:", "--to", "h:1", "5000"], "HOST:5000"),
      // Receivers.
      (["test:", "--to", "rtp://h:5000"], "write --to h:5000"),
      (["test:", "--to", "udp://@239.1.1.1:5000"], "write --to 239.1.1.1:5000"),
      (["test:", "--to", "rtsp://h:5000/a"], "write --to h:5000"), (["test:", "--to", "http://h/"], "no scheme"),
      (["test:", "--to", "rtp://[fd00::2]:5000?pkt_size=1200"], "write --to [fd00::2]:5000"),
      (["test:", "--to", "a:1,b:1"], "write --to a:1 --to b:1"),
      (["test:", "--to", "a:1 b:1"], "write --to a:1 --to b:1"),
      (["test:", "--to", "a:1; [::1]:2"], "write --to a:1 --to [::1]:2"),
      (["test:", "--to", "a:1", "--to", "a:1"], "--to a:1 is named twice"),
      (["test:", "--to", "a:1", "--to", "A:1"], "twice"),
      (["test:", "--to", "a:1", "--to", "a:2"], "write --to a:3"),
      (["test:", "--to", "5000"], "write --to HOST:5000"), (["test:", "--to", "10.0.0.1"], "write --to 10.0.0.1:5000"),
      (["test:", "--to", "--size", "64x64"], "--to needs a value, and --size is an option"),
      (["test:", "--to", "h:1", "--sdp", "--stats=5"], "--sdp needs a value"),
      (["receive", "rtp://0.0.0.0:5000"], "write 0.0.0.0:5000"), (["receive", "udp://@:5000"], "write 5000"),
      (["receive", "127.0.0.1", "5000"], "write 127.0.0.1:5000"), (["receive", "camera.sdp"], "m=video"),
      (["receive", "test:"], "streamer test: --to"), (["receive", "/dev/video0"], "streamer /dev/video0 --to"),
      (["receive", "localhost"], "write localhost:5000"),
      (["receive", "0"], "1 to 65535"), (["receive", "65536"], "1 to 65535"), (["receive", "5000-5001"], "write 5000"),
      (["receive", "5000", "6000"], "write 5000"), (["receive", "help"], "'streamer receive --help'"),
      (["list", "help"], "'streamer list --help'"), (["list", "version"], "--version"),
      (["list", "test:"], "all cameras"),
      (["test:", "--to", "10.0.0.1 5000"], "write --to 10.0.0.1:5000"),
      (["test:", "--to", "rtp:10.0.0.1:5000"], "write --to 10.0.0.1:5000"),
      (["test:", "--to", "10.0.0.1:5000:5001"], "write --to 10.0.0.1:5000"),
      (["test:", "--to", "::1"], "write --to [::1]:5000"), (["test:", "--to", "::1:5002"], "write --to [::1]:5002"),
      // IPv6 addresses: without brackets, port or colon, with other brackets, and as URLs have them.
      (["receive", "::1"], "write [::1]:5000"), (["receive", "::"], "write [::]:5000"),
      (["receive", "::1:5002"], "write [::1]:5002"), (["receive", "::1", "5002"], "write [::1]:5002"),
      (["receive", "[::1]"], "write [::1]:5000"), (["receive", "[::1]", "5002"], "write [::1]:5002"),
      (["receive", "fd00::2%eth0"], "write [fd00::2]:5000"),
      (["receive", "[::1%lo]:5002"], "write [::1]:5002"), (["receive", "fe80::2%eth0"], "write [fe80::2%eth0]:5000"),
      (["receive", "ff02::1:80"], "write [ff02::1:80]:5000"),
      (["receive", "::ffff:10.0.0.1"], "write [::ffff:10.0.0.1]:5000"), (["receive", "::1:"], "write [::1]:5000"),
      (["test:", "--to", "[::1]5002"], "write --to [::1]:5002"), (["test:", "--to", "[::1].5002"], "[::1]:5002"),
      (["test:", "--to", "::1.5002"], "write --to [::1]:5002"), (["test:", "--to", "::1#5002"], "[::1]:5002"),
      (["test:", "--to", "::1 5002"], "write --to [::1]:5002"), (["test:", "--to", "::1/5002"], "[::1]:5002"),
      (["test:", "--to", "[::1]"], "write --to [::1]:5000"), (["test:", "--to", "[::1]:"], "write --to [::1]:5000"),
      (["test:", "--to", "[::1:5002"], "write --to [::1]:5002"), (["test:", "--to", "::1]:5002"], "[::1]:5002"),
      (["test:", "--to", "[::1:5002]"], "write --to [::1]:5002"), (["test:", "--to", "[[::1]]:5002"], "[::1]:5002"),
      (["test:", "--to", "(::1):5002"], "write --to [::1]:5002"), (["test:", "--to", "{::1}:5002"], "[::1]:5002"),
      (["test:", "--to", "2001:db8:0:0:0:0:0:1"], "write --to [2001:db8:0:0:0:0:0:1]:5000"),
      (["test:", "--to", "2001:db8:0:0:0:0:0:1:80"], "write --to [2001:db8:0:0:0:0:0:1]:80"),
      (["test:", "--to", "fe80::1%eth0:80"], "write --to [fe80::1%eth0]:80"),
      (["test:", "--to", "[fe80::1]%eth0:5002"], "write --to [fe80::1%eth0]:5002"),
      (["test:", "--to", "[fe80::1%25eth0]:5002"], "write --to [fe80::1%eth0]:5002"),
      (["test:", "--to", "rtp://[::1]"], "write --to [::1]:5000"), (["test:", "--to", "rtp://::1:5002"], "[::1]:5002"),
      (["test:", "--to", "udp://@[ff02::1]:5002/a"], "write --to [ff02::1]:5002"),
      (["test:", "::1"], "write --to [::1]:5000"), (["test:", "::1:5002"], "write --to [::1]:5002"),
      (["test:", "--to", "10.0.0.1:5000/"], "write --to 10.0.0.1:5000"),
      (["test:", "--to", "10.0.0.1/5002"], "write --to 10.0.0.1:5002"),
      (["test:", "--to", "//10.0.0.1:5000"], "write --to 10.0.0.1:5000"),
      (["test:", "--to", "rtp://user@10.0.0.1:5000"], "write --to 10.0.0.1:5000"),
      (["test:", "--to", "rtp://10.0.0.1"], "write --to 10.0.0.1:5000"),
      (["test:", "--to", "*:5002"], "write --to 127.0.0.1:5002"),
      (["File:x"], "write file:x"), (["Libcamera:0"], "write libcamera:0"), (["tests:"], "write test:"),
      (["benchmark"], "'streamer bench'"), (["ls"], "'streamer list'"), (["vid0"], "write /dev/video0"),
      (["video"], "write /dev/video0"),
      // Options.
      (["test:", "--port", "5000"], "--to HOST:PORT"), (["test:", "-p", "5000"], "--to HOST:PORT"),
      (["receive", "--port", "5000"], "'streamer receive [HOST:]PORT'"), (["test:", "--host", "h"], "--to HOST:PORT"),
      (["test:", "-o", "h:1"], "--to"), (["test:", "--resolution", "1x1"], "--size"),
      (["test:", "--framerate", "30"], "--fps"), (["test:", "-r", "30"], "--fps"),
      (["-d", "/dev/video0"], "streamer /dev/video0"),
      (["-i", "/dev/video0"], "streamer /dev/video0"), (["--device=/dev/video0"], "streamer /dev/video0"),
      (["test:", "-to", "h:1"], "did you mean --to?"), (["test:", "-size", "1x1"], "did you mean --size?"),
      (["test:", "--FPS", "30"], "did you mean --fps?"),
      (["test:", "--payload_type", "96"], "did you mean --payload-type?"),
      (["test:", "--s", "5"], "--size or --subsampling or --set"), (["test:", "--verbose"], "--log-level debug"),
      (["test:", "--codec", "mjpeg"], "--format"), (["test:", "--brightness", "5"], "--set NAME=VALUE"),
      (["test:", "--to", "h:1", "--seconds", "5"], "but of 'streamer receive'"),
      (["test:", "--to", "h:1", "--json"], "but of 'streamer list', 'streamer bench', 'streamer receive'"),
      (["receive", "5000", "--sdp", "a"], "--sdp is no option of 'streamer receive' but of 'streamer'"),
      (["list", "--warm-up", "3"], "but of 'streamer bench'"),
      // Values.
      (["test:", "--to", "h:1", "--fps", "0"], "from 0.001 to 10000"),
      (["test:", "--to", "h:1", "--fps", "-5"], "from 0.001 to 10000"),
      (["test:", "--to", "h:1", "--fps", "30fps"], "--fps '30fps'"),
      (["test:", "--to", "h:1", "--fps", "nan"], "from 0.001"),
      (["test:", "--to", "h:1", "--fps", "1/0"], "from 0.001"),
      (["test:", "--to", "h:1", "--fps", "1000000"], "to 10000"),
      (["test:", "--to", "h:1", "--size", "720p"], "write 1280x720"),
      (["test:", "--to", "h:1", "--size", "4K"], "write 3840x2160"),
      (["test:", "--to", "h:1", "--size", "640*480"], "write 640x480"),
      (["test:", "--to", "h:1", "--size", "640 480"], "write 640x480"),
      (["test:", "--to", "h:1", "--size", "640\u{D7}480"], "write 640x480"),
      (["test:", "--to", "h:1", "--cpu", "100000"], "a CPU of this machine, 0 to"),
      (["test:", "--to", "h:1", "--cpu", "-1"], "--cpu '-1'"),
      (["test:", "--to", "h:1", "--stats", "0"], "from 0.01 to 86400"),
      (["test:", "--to", "h:1", "--bitrate", "8M"], "Mbit/s from 0.05 to 10000"),
      (["test:", "--to", "h:1", "--pace", "0"], "from 0.1 to 100000"),
      (["receive", "5000", "--seconds", "0"], "seconds from 0.001"),
      (["receive", "5000", "--out", ""], "a directory's name"), (["receive", "5000", "--times", ""], "a file's name"),
      (["bench", "test:", "--json", "--csv"], "--json and --csv"),
      (["bench", "test:", "--html", "a", "--times", "a"], "both a"),
      (["bench", "test:", "--tolerance", "-1"], "percent from 0 to 1000"), (["bench"], "streamer bench test:"),
      (["sdp"], "streamer sdp test: --to"),
    ]
    for (words, part) in misses {
      let said = complaint(words)
      #expect(said.contains(part), "\(words): \(said)")
    }
  }

  @Test func theSameReceiverByTwoNamesIsFound() throws {
    let options = try options("test:", "--to", "127.0.0.1:5000", "--to", "127.1:5000")
    #expect(throws: UsageError.self) { try StreamSettings(options, camera: 0) }
  }

  @Test func theSameReceiverInBothFamiliesIsFound() throws {
    let options = try options("test:", "--to", "127.0.0.1:5000", "--to", "[::ffff:127.0.0.1]:5000")
    #expect(throws: UsageError.self) { try StreamSettings(options, camera: 0) }
  }

  @Test(arguments: [
    ("0.0.0.0:5002", "write --to 127.0.0.1:5002"), ("0:5002", "write --to 127.0.0.1:5002"),
    ("[::]:5002", "write --to 127.0.0.1:5002"), ("[fe80::1]:5002", "write --to [fe80::1%eth0]:5002"),
    ("[febf::1]:5002", "link-local address"), ("[ff02::1]:5002", "group needs its interface"),
    ("[ff12::7]:5002", "write --to [ff12::7%eth0]:5002"), ("[ff11::7]:5002", "write --to [ff11::7%1]:5002"),
  ])
  func whatIsNoReceiversAddress(text: String, part: String) throws {
    let options = try options("test:", "--to", text)
    do {
      _ = try StreamSettings(options, camera: 0)
      Issue.record("\(text) is accepted")
    } catch let error as UsageError { #expect(error.description.contains(part), "\(error)") }
    if text.hasPrefix("[f") {
      #expect(
        try StreamSettings(self.options("test:", "--to", text, "--interface", "lo"), camera: 0).receivers.count == 1)
    }
  }

  @Test(arguments: ["[ff05::1]:5002", "[ff1e::1]:5002", "[fec0::1]:5002", "[ff02::1%1]:5002", "[fd02::1]:5002"])
  func whatNeedsNoInterface(text: String) throws {
    #expect(try StreamSettings(self.options("test:", "--to", text), camera: 0).receivers.count == 1)
  }

  @Test func aSecondCameraHasItsOwn() throws {
    let options = try options("test:", "test:", "--to", "127.0.0.1:5000", "--ssrc", "ffffffff")
    let second = try StreamSettings(options, camera: 1)
    #expect(second.destinations.map(\.port) == [5002] && second.ssrc == 0 && second.thread.cpu == nil)
    // The last CPU of this machine is no camera's before the last.
    let last = "\(Thread.cpuCount - 1)"
    #expect(
      try StreamSettings(self.options("test:", "--to", "127.0.0.1:5000", "--cpu", last), camera: 0).thread.cpu
        == Int(last))
    #expect(complaint(["test:", "test:", "--to", "127.0.0.1:5000", "--cpu", last]).contains("camera 2 would have CPU"))
    #expect(try self.options("test:", "test:", "--to", "127.0.0.1:65532").cameras.count == 2)
    #expect(try self.options("test:", "--to", "127.0.0.1:65535", "--rtcp-mux").first.session.isMuxed)
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
