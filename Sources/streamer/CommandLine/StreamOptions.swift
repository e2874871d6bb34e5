import LinuxIO
import RTPCore
import V4L2Capture

/// The options of `streamer` and `streamer sdp`, read.
struct StreamOptions: Sendable {
  let cameras: [CameraName]
  let endpoints: [Endpoint]
  let request: ModeRequest
  let encoding: EncodingOptions
  let buffers: Int
  /// What cameras' controls are set to, in this order.
  let controls: [ControlSetting]
  /// nil: as the cameras have it.
  let flip: Flip?
  let packetSize: PacketSize
  let pace: Pace.Setting
  /// Packets leave before their frame is done.
  let early: Lookout.Setting
  /// Packets may be handed over many a call (UDP GSO).
  let segments: Bool
  let payloadType: UInt8
  let ssrc: UInt32
  /// Frames that are cut short or flagged are sent, too.
  let repairs: Bool
  /// Frames that RTP can't carry as they are are re-coded.
  let recodes: Bool
  let onvifExtension: Bool
  /// RTCP has no port of its own.
  let isMuxed: Bool
  let route: Route
  /// Frames that are late are sent, too, and none is left for a newer one.
  let keepsAll: Bool
  /// The camera threads' priority; nil: they run like others.
  let priority: Int?
  /// All cameras' sources have it.
  let canonicalName = CanonicalName()
  let cpu: Int?
  let sdpPath: String?
  let statsSeconds: Double?
  let log: Log

  init(_ arguments: Arguments) throws(UsageError) {
    guard !arguments.operands.isEmpty else {
      let example = arguments.verb == .bench ? "test:" : "test: --to 127.0.0.1:5000"
      let command = arguments.verb.command
      throw UsageError("no camera; such as: \(command) \(example); see '\(command) --help'")
    }
    var cameras: [CameraName] = []
    for text in arguments.operands {
      let camera = try CameraName(text)
      if camera.hasControls, cameras.contains(camera) { throw UsageError("\(camera) is named twice") }
      cameras.append(camera)
    }
    self.cameras = cameras
    isMuxed = arguments.has("rtcp-mux")
    var endpoints: [Endpoint] = []
    for text in arguments.values("to") {
      do throws(UsageError) { endpoints.append(try Endpoint(text, needsHost: true)) } catch {
        throw UsageError("--to \(error)")
      }
    }
    try Self.checkPorts(endpoints, cameras: cameras.count, isMuxed: isMuxed)
    guard !endpoints.isEmpty || arguments.verb == .bench else {
      throw UsageError("no receiver; --to HOST:PORT is needed")
    }
    self.endpoints = endpoints
    request = ModeRequest(
      format: try arguments.format(),
      size: try arguments.size("size", example: "1280x720"),
      rate: try arguments.value(
        "fps", expected: "frames a second from \(FrameRate.range), such as 30, 7.5 or 30000/1001"
      ) { FrameRate($0) })
    encoding = try EncodingOptions(arguments)
    var controls: [ControlSetting] = []
    for text in arguments.values("set") { controls.append(try ControlSetting(text)) }
    self.controls = controls
    flip = try arguments.flip()
    if let option = controls.isEmpty ? (flip == nil ? nil : "--flip and --rotate") : "--set",
      let camera = cameras.first(where: { !$0.hasControls })
    {
      throw UsageError("\(option): \(camera) has no controls")
    }
    buffers = try arguments.integer("buffers", in: 2...32) ?? 4
    packetSize =
      arguments.values("mtu").last == "auto"
      ? .upTo(Packetizer.packetSizes.upperBound)
      : try arguments.integer("mtu", in: Packetizer.packetSizes).map { .fixed($0) } ?? .upTo(1400)
    early =
      try arguments.value("early", expected: "auto, on or off") { text in
        ["auto": .auto, "on": .on, "off": .off][text]
      } ?? .auto
    segments =
      try arguments.value("gso", expected: "auto or off") { text in ["auto": true, "off": false][text] } ?? true
    pace =
      try arguments.value("pace", expected: "on, off, or Mbit/s from 0.1 to 100000, such as 80") { text in
        ["on": .on, "off": .off][text] ?? Double(text).flatMap { (0.1...100_000).contains($0) ? .rate($0 * 1e6) : nil }
      } ?? .off
    // RFC 5761, 4: with the marker, 64 to 95 look like RTCP.
    payloadType =
      try arguments.value("payload-type", expected: "0 to 63 or 96 to 127") { text in
        UInt8(text).flatMap { $0 < 64 || (96...127).contains($0) ? $0 : nil }
      } ?? 26
    ssrc =
      try arguments.value("ssrc", expected: "up to 8 hexadecimal digits") { text in
        UInt32(text.lowercased().hasPrefix("0x") ? String(text.dropFirst(2)) : text, radix: 16)
      } ?? .random(in: 0 ... .max)
    repairs =
      try arguments.value("bad-frames", expected: "drop or repair") { text in
        ["drop": false, "repair": true][text]
      } ?? false
    recodes =
      try arguments.value("recode", expected: "auto or off") { text in
        ["auto": true, "off": false][text]
      } ?? true
    onvifExtension = arguments.has("onvif-extension")
    var route = Route()
    route.timeToLive = try arguments.integer("ttl", in: 0...255) ?? 1
    route.serviceClass = try arguments.value("dscp", expected: "0 to 63, or a name such as AF41, CS5, EF") { text in
      ServiceClass.number(text)
    }
    route.interface = try arguments.value("interface", expected: "an interface of this machine ('ip link' has them)") {
      Route.hasInterface($0) ? $0 : nil
    }
    self.route = route
    keepsAll = arguments.has("keep-all")
    priority = try arguments.integer("realtime", in: 1...99)
    cpu = try arguments.cpu(cameras: cameras.count)
    sdpPath = try arguments.path("sdp")
    statsSeconds = try arguments.number("stats", of: "seconds", in: 0.01...86_400)
    log = Log(level: try arguments.logLevel())
  }
}

extension StreamOptions {
  /// Every camera has ports of its own at each receiver: another's packets would be taken for its own.
  private static func checkPorts(_ endpoints: [Endpoint], cameras: Int, isMuxed: Bool) throws(UsageError) {
    for (index, one) in endpoints.enumerated() {
      for other in endpoints[..<index] where one.host.lowercased() == other.host.lowercased() {
        if one.port == other.port { throw UsageError("--to \(one) is named twice") }
        let distance = abs(Int(one.port) - Int(other.port))
        // RTCP's ports lie between.
        if distance < 2 * cameras && (distance % 2 == 0 || !isMuxed) {
          let free = UInt16(exactly: Int(other.port) + 2 * cameras).map { "; write --to \(one.with(port: $0))" }
          throw UsageError(
            "--to \(other) and \(one): \(cameras == 1 ? "a camera takes" : "\(cameras) cameras take")"
              + " \(2 * cameras) ports, for RTP and RTCP\(free ?? "")")
        }
      }
      let last = Int(one.port) + 2 * (cameras - 1)
      guard last > Int(UInt16.max) - (isMuxed ? 0 : 1) else { continue }
      throw UsageError(
        "--to port \(one.port): camera \(cameras) would go to port \(last)\(isMuxed ? "" : ", and its RTCP to \(last + 1)")"
          + ", which is over 65535; take a lower one\(isMuxed ? "" : ", or --rtcp-mux")")
    }
  }
}

extension EncodingOptions {
  fileprivate init(_ arguments: Arguments) throws(UsageError) {
    self.init()
    quality = try arguments.integer("quality", in: 1...100)
    bitrate = try arguments.number("bitrate", of: "Mbit/s", in: 0.05...10_000).map { $0 * 1e6 }
    subsampling =
      try arguments.value("subsampling", expected: "420 or 422") { ["420": .yuv420, "422": .yuv422][$0] } ?? .yuv420
    convertsColours =
      try arguments.value("range", expected: "convert or as-is") { ["convert": true, "as-is": false][$0] } ?? true
  }
}

extension Arguments {
  func size(_ name: String, example: String) throws(UsageError) -> FrameSize? {
    try value(name, expected: "WIDTHxHEIGHT, such as \(example)", hint: NearMiss.size) { FrameSize($0) }
  }

  /// The first camera's CPU; each of the others has the next.
  fileprivate func cpu(cameras: Int) throws(UsageError) -> Int? {
    let last = Thread.cpuCount - 1
    guard
      let cpu = try value(
        "cpu", expected: "a CPU of this machine, 0 to \(last)",
        { text in
          Int(text).flatMap { (0...last).contains($0) ? $0 : nil }
        })
    else { return nil }
    guard cpu + cameras - 1 <= last else {
      throw UsageError(
        "--cpu \(cpu): camera \(cameras) would have CPU \(cpu + cameras - 1), and this machine has 0 to \(last)")
    }
    return cpu
  }

  /// nil is any.
  fileprivate func format() throws(UsageError) -> PixelFormat? {
    guard values("format").last != "auto" else { return nil }
    return try value(
      "format",
      expected: "auto, mjpeg, jpeg, yuyv, uyvy, nv12, yu12, grey, rgb24, or the four characters of another raw format"
    ) { text in PixelFormat(name: text).flatMap { $0.cost == nil ? nil : $0 } }
  }

  /// What --flip and --rotate come to.
  fileprivate func flip() throws(UsageError) -> Flip? {
    let rotates = try value("rotate", expected: "0 or 180") { ["0": false, "180": true][$0] }
    let flips = try value("flip", expected: "h (left to right), v (upside down) or hv") { text in
      ["h": Flip(horizontally: true), "v": Flip(vertically: true), "hv": Flip(horizontally: true, vertically: true)][
        text]
    }
    guard rotates != nil || flips != nil else { return nil }
    let (turn, flip) = (rotates ?? false, flips ?? Flip())
    return Flip(horizontally: turn != flip.horizontally, vertically: turn != flip.vertically)
  }

  func logLevel() throws(UsageError) -> Log.Level {
    try value("log-level", expected: "error, warning, info or debug") { Log.Level($0) } ?? .info
  }
}

extension StreamOptions {
  /// With a real-time priority no page may have to be fetched: before any thread starts.
  func lockMemory() {
    guard priority != nil, let errno = Thread.lockMemory() else { return }
    log.warning(
      "the memory can't be locked: \(errno); CAP_IPC_LOCK allows it: as root, or in a systemd unit"
        + " 'AmbientCapabilities=CAP_SYS_NICE CAP_IPC_LOCK'")
  }
}
