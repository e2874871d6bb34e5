/// What --help prints.
enum Help {
  static func text(for verb: Verb) -> String {
    let isDefault = verb == .stream
    var lines = ["Usage: streamer \(isDefault ? "" : verb.rawValue + " ")\(verb.operands) [options]", "", verb.summary]
    if isDefault {
      lines += ["", "Other verbs ('streamer VERB --help' explains them):"]
      for other in Verb.allCases where other != .stream {
        lines.append("  \(other.rawValue.padded(to: 9)) \(other.summary)")
      }
    }
    if !cameras(verb).isEmpty { lines += [""] + cameras(verb) }
    lines += ["", "Options:"]
    for option in OptionEntry.all where option.verbs.contains(verb) {
      let left = "  --\(option.name)" + (option.value.map { " \($0)" } ?? "")
      let right = wrap(option.help, width: 76)
      lines.append(left.padded(to: 22) + " " + (right.first ?? ""))
      lines += right.dropFirst().map { String(repeating: " ", count: 23) + $0 }
    }
    lines += [""] + examples(verb)
    return lines.joined(separator: "\n")
  }

  private static func cameras(_ verb: Verb) -> [String] {
    guard verb != .list && verb != .receive else { return [] }
    return [
      "CAMERA is one of:",
      "  /dev/video0                       a V4L2 camera",
      "  /dev/v4l/by-id/..., by-path/...   the same by a name that stays its own",
      "  libcamera:ID, libcamera:NUMBER    a camera of libcamera's, such as a Raspberry Pi's own",
      "  test:                             a built-in moving picture with a clock: needs no camera",
      "  file:PATH                         the JPEGs of a directory, or a .mjpeg file, looped",
    ]
  }

  private static func examples(_ verb: Verb) -> [String] {
    switch verb {
    case .stream:
      [
        "Examples:",
        "  streamer /dev/video0 --to 192.168.1.20:5000 --sdp camera.sdp",
        "  streamer test: --to 127.0.0.1:5000 --stats 1",
        "Watch it there (when it starts, it prints the command for its size and payload type):",
        "  ffplay rtp://0.0.0.0:5000",
        "  gst-launch-1.0 udpsrc port=5000 \\",
        "    caps=application/x-rtp,media=video,encoding-name=JPEG,payload=26,clock-rate=90000 \\",
        "    ! rtpjpegdepay ! jpegdec ! autovideosink",
        "",
        "Exit status: 0 done or stopped by SIGINT or SIGTERM, 2 bad usage, 1 anything else.",
      ]
    case .list: ["Example:", "  streamer list --json"]
    case .bench:
      [
        "Examples:", "  streamer bench /dev/video0", "  streamer bench /dev/video0 --until received --html page.html",
        "  streamer bench --glass-page clock.html", "  streamer bench /dev/video0 --glass",
        "  streamer bench /dev/video0 --to 192.168.1.20:5000 --json > before.json", "",
        "SIGUSR1 has it print what was measured so far; a stream that runs, too.",
      ]
    case .receive:
      [
        "HOST is an address of this machine (default: all), or a multicast group that is joined.", "",
        "Example:", "  streamer receive 5000 --seconds 10 --out /tmp/frames --json",
      ]
    case .sdp: ["Example:", "  streamer sdp /dev/video0 --to 239.1.1.1:5000 > camera.sdp"]
    }
  }

  private static func wrap(_ text: String, width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.count + word.count + 1 > width {
        lines.append(String(word))
      } else {
        lines[lines.count - 1] = last.isEmpty ? String(word) : last + " " + word
      }
    }
    return lines
  }
}

extension String {
  func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }

  /// Set to the right, as figures of a table are.
  func rightAligned(to width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}
