import LinuxIO
import V4L2Capture

/// Words that users try, and what to write in their place: the ends of error messages.
enum NearMiss {
  /// Options of other programs.
  private static let options: [(words: [String], hint: String)] = [
    (["port", "p"], "the port is part of --to HOST:PORT"),
    (
      ["host", "ip", "address", "dest", "destination", "dst", "target", "receiver", "url", "send-to", "a", "u"],
      "a receiver is --to HOST:PORT"
    ),
    (["output", "o"], "a receiver is --to HOST:PORT; 'streamer receive' writes pictures to --out DIR"),
    (["multicast", "group"], "a group is a receiver, too: --to 239.1.1.1:5000"),
    (["resolution", "res", "width", "height", "video-size", "s", "w"], "write --size WxH"),
    (["framerate", "frame-rate", "rate", "r", "f"], "write --fps N"),
    (
      ["device", "dev", "camera", "cam", "input", "source", "src", "i", "d", "c"],
      "a camera needs no option: streamer /dev/video0 --to HOST:PORT"
    ),
    (["test"], "the built-in picture is a camera: test:"), (["file"], "a file is a camera: file:PATH"),
    (["list-devices", "devices", "list", "l"], "write 'streamer list'"),
    (["listen", "bind"], "'streamer receive [HOST:]PORT' receives; --interface NAME chooses where packets leave"),
    (["v"], "write --version, or for more messages --log-level debug"), (["V"], "write --version"),
    (["verbose", "debug"], "write --log-level debug"),
    (["quiet", "silent", "q"], "write --log-level error"),
    (["usage", "?"], "write --help"),
    (["duration", "time", "timeout", "t"], "'streamer receive' has --seconds S, and 'streamer bench' --frames N"),
    (["pixel-format", "pixelformat", "pix-fmt", "input-format", "codec", "encoder", "fourcc"], "write --format NAME"),
    (["jpeg-quality", "qscale"], "write --quality 1-100"), (["bit-rate", "b"], "write --bitrate MBIT"),
    (["packet-size", "pkt-size", "payload-size", "max-packet-size"], "write --mtu BYTES"),
    (["pt"], "write --payload-type N"), (["tos", "qos"], "write --dscp N"),
    (
      ["control", "ctrl", "set-ctrl", "brightness", "contrast", "exposure", "gain", "saturation", "focus"],
      "write --set NAME=VALUE; 'streamer list' shows the names"
    ),
    (["hflip"], "write --flip h"), (["vflip"], "write --flip v"),
  ]

  /// - Parameter word: an option that there is not, with its dashes.
  static func option(_ word: String, _ verb: Verb) -> String? {
    let name = String(word.drop { $0 == "-" })
    let lowered = name.lowercased().map { $0 == "_" ? "-" : String($0) }.joined()
    let known = OptionEntry.all.map(\.name)
    if known.contains(lowered) { return "did you mean --\(lowered)?" }
    let isLetter = name.count == 1
    if !isLetter || !word.hasPrefix("--"),
      let other = options.first(where: { $0.words.contains(isLetter ? name : lowered) })
    {
      return verb == .receive && other.hint.contains("--to")
        ? "it has no --to: write 'streamer receive [HOST:]PORT', such as 'streamer receive 5000'" : other.hint
    }
    let begun = known.filter { !name.isEmpty && word.hasPrefix("--") && $0.hasPrefix(lowered) }
    if begun.count > 1 { return "it may be " + begun.map { "--" + $0 }.joined(separator: " or ") }
    guard !isLetter, let near = nearest(lowered, known) else { return nil }
    return "did you mean --\(near)?"
  }

  /// The one of some words that a word was meant to be.
  static func nearest(_ word: String, _ words: [String]) -> String? {
    // Nobody mistypes a word that long, and comparing takes its length times theirs.
    guard word.utf8.count < 64 else { return nil }
    let ranked = words.map { (word: $0, distance: word.editDistance(to: $0)) }
    guard let near = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return near.distance <= max(2, word.count / 3) && near.distance < word.count ? near.word : nil
  }

  /// - Parameter text: a word that stands for no camera.
  static func camera(_ text: String) -> String? {
    let lowered = text.lowercased()
    switch lowered {
    case "help": return "write 'streamer --help', or 'streamer VERB --help'"
    case "version": return "write 'streamer --version'"
    case "test", "test:", "tests", "tests:": return "write test:"
    case "-": return "standard input is no camera"
    default: break
    }
    if let dash = text.first, "\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2212}".contains(dash) {
      return "its dash is another than '-': write --\(text.drop { !$0.isLetter })"
    }
    if Verb(rawValue: lowered) != nil { return "the verb comes first: streamer \(lowered)" }
    let verbs = Verb.allCases.map(\.rawValue)
    let verb = nearest(lowered, verbs) ?? verbs.first { lowered.hasPrefix($0) || isShort(lowered, of: $0) }
    return place(text) ?? verb.map { "did you mean 'streamer \($0)'?" }
  }

  /// Whether a word is another without some of its letters, such as `ls` for `list`.
  private static func isShort(_ word: String, of other: String) -> Bool {
    guard word.count > 1, word.first == other.first else { return false }
    var rest = word[...]
    for letter in other where letter == rest.first { rest = rest.dropFirst() }
    return rest.isEmpty
  }

  /// Names of devices, files and receivers without what belongs in front of them.
  private static func place(_ text: String) -> String? {
    let lowered = text.lowercased()
    if isPictures(text) || !text.isEmpty && File.kind(of: text) == .directory { return "write file:\(text)" }
    if let start = text.firstRange(of: "/dev/")?.lowerBound { return "write \(text[start...])" }
    for kind in ["file:", "libcamera:"] where lowered.hasPrefix(kind) {
      return "write \(kind)\(text.dropFirst(kind.count))"
    }
    let number = lowered.drop { !$0.isNumber }
    if ["vid", "video", "camera", "cam", "webcam"].contains(lowered) { return "write /dev/video0" }
    if !number.isEmpty, number.allSatisfy({ $0.isASCII && $0.isNumber }) {
      switch lowered.dropLast(number.count) {
      case "":
        return UInt64(number).map { $0 < 256 } == true ? "write /dev/video\(number)" : "write --to HOST:\(number)"
      case "vid", "video", "/video", "dev/video", "camera", "cam", "webcam": return "write /dev/video\(number)"
      case "libcamera": return "write libcamera:\(number)"
      default: break
      }
    }
    if ["libcamera", "picamera", "rpicam", "raspicam", "csi"].contains(lowered) { return "write libcamera:0" }
    for folder in ["/dev/v4l/by-id/", "/dev/v4l/by-path/"] where !text.isEmpty && File.kind(of: folder + text) != nil {
      return "write \(folder)\(text)"
    }
    if text.contains("://") { return "it reads no URLs" }
    return ((try? Endpoint(text, needsHost: true))?.description ?? ipv6(text)).map { "write --to \($0)" }
  }

  /// A file of pictures, by its name.
  static func isPictures(_ path: String) -> Bool {
    [".jpg", ".jpeg", ".mjpg", ".mjpeg"].contains { path.lowercased().hasSuffix($0) }
  }

  /// - Parameter text: a word that is no HOST:PORT.
  static func endpoint(_ text: String, needsHost: Bool) -> String? {
    let option = needsHost ? "--to " : ""
    func isRight(_ text: String) -> Bool { (try? Endpoint(text, needsHost: needsHost, hints: false)) != nil }
    if text.hasSuffix(".sdp") { return "the port is in its line 'm=video PORT': streamer receive PORT" }
    if !needsHost, (try? CameraName(text)) != nil { return "cameras are streamed by: streamer \(text) --to HOST:PORT" }
    let ports = text.split(separator: "-").map(String.init)
    if let first = ports.first, ports.allSatisfy({ $0.allSatisfy(\.isNumber) }) {
      guard Endpoint.port(first) != nil else { return needsHost ? "ports are 1 to 65535" : nil }
      return needsHost ? "write --to HOST:\(first)" : "it receives at one port: write \(first)"
    }
    if let place = places(text).first(where: isRight) {
      return "\(text.contains("://") ? "a receiver has no scheme: " : "")write \(option)\(place)"
    }
    let parts = text.split { ",; ".contains($0) }.map(String.init)
    guard parts.count > 1, parts.allSatisfy(isRight) else { return nil }
    return needsHost
      ? "write " + parts.map { "--to " + $0 }.joined(separator: " ") : "it receives at one port: \(parts[0])"
  }

  /// What a receiver's text may stand for, the likeliest first: without a scheme, a user, a path and a port for RTCP, with
  /// the colon, the brackets and the port that it lacks.
  private static func places(_ text: String) -> [String] {
    let whole = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
    let named = whole.drop { "/@".contains($0) }
    let unowned = named.lastIndex(of: "@").map { named[named.index(after: $0)...] } ?? named
    let rest = String(unowned.prefix { !"/?#".contains($0) })
    var places = [ipv6(String(unowned)), ipv6(rest)].compactMap { $0 }
    let head = rest.lastIndex(of: ":").map { String(rest[..<$0]) } ?? ""
    let tail = String(rest.dropFirst(head.utf8.count + 1))
    if Endpoint.port(tail) != nil { places.append(head) }
    if rest.hasPrefix(":") { places.append(String(rest.dropFirst())) }
    places.append(rest)
    // A scheme without slashes.
    let unnamed = rest.drop { $0.isLetter }
    if unnamed.first == ":", unnamed.dropFirst().contains(":") { places.append(String(unnamed.dropFirst())) }
    let words = named.split { "/ ".contains($0) }.map(String.init)
    if words.count == 2, Endpoint.port(words[1]) != nil { places.append("\(words[0]):\(words[1])") }
    if rest.contains(where: { $0.isLetter || $0.isNumber }), !rest.contains(":") || rest.hasSuffix("]") {
      places.append(rest + ":5000")
    }
    return places
  }

  /// An IPv6 address in brackets, with a port: without those, with brackets that do not match or are of another kind, with
  /// its zone after them, or its port after another character than a colon.
  private static func ipv6(_ text: String) -> String? {
    let (opening, closing) = ("[({<", "])}>")
    func isBracket(_ character: Character) -> Bool { opening.contains(character) || closing.contains(character) }
    // "%25" is what a URL has for "%".
    func address(_ text: some StringProtocol) -> String? {
      let text = String(text)
      let parts = text.split(separator: "%" as Character, maxSplits: 1).map(String.init)
      let zone = parts.count < 2 ? "" : "%" + (parts[1].hasPrefix("25") ? String(parts[1].dropFirst(2)) : parts[1])
      return parts.first.flatMap { Endpoint.isIPv6($0) ? $0 + (Endpoint.takesInterfaceName($0) ? zone : "") : nil }
    }
    if let end = text.lastIndex(where: closing.contains) {
      let tail = text[text.index(after: end)...]
      let zone = tail.hasPrefix("%") ? String(tail.prefix { !":.".contains($0) }) : ""
      let port = String(tail.dropFirst(zone.count).drop { !$0.isNumber }.prefix(while: \.isNumber))
      if let address = address(text[..<end].filter { !isBracket($0) } + zone), Endpoint.port(port) != nil {
        return "[\(address)]:\(port)"
      }
    }
    let bare = text.filter { !isBracket($0) }
    if let place = bare.lastIndex(where: ":./# ".contains) {
      let port = String(bare[bare.index(after: place)...])
      if let number = Endpoint.port(port), let head = address(bare[..<place]),
        bare[place] != ":" || number >= 1024 || address(bare) == nil || head.contains("%")
      {
        return "[\(head)]:\(port)"
      }
    }
    // Such as "[::1]:".
    return (address(bare) ?? (bare.hasSuffix(":") ? address(bare.dropLast()) : nil)).map { "[\($0)]:5000" }
  }

  /// - Parameter text: a word that is no WIDTHxHEIGHT.
  static func size(_ text: String) -> String? {
    let names = [
      "qvga": "320x240", "vga": "640x480", "480p": "640x480", "svga": "800x600", "xga": "1024x768", "hd": "1280x720",
      "720p": "1280x720", "fullhd": "1920x1080", "fhd": "1920x1080", "1080p": "1920x1080", "1440p": "2560x1440",
      "2160p": "3840x2160", "uhd": "3840x2160", "4k": "3840x2160",
    ]
    if let size = names[text.lowercased()] { return "write \(size)" }
    let sides = text.split { !$0.isNumber }
    return sides.count == 2 ? FrameSize("\(sides[0])x\(sides[1])").map { "write \($0)" } : nil
  }
}
