import LinuxIO
import RTPCore
import V4L2Capture

/// The options of `streamer` and `streamer sdp`, read.
struct StreamOptions: Sendable {
  let cameras: [CameraName]
  let endpoints: [Endpoint]
  /// The first camera's, without its receivers. Each of the others has the next CPU and the next SSRC.
  let first: StreamSettings
  let sdpPath: String?

  var log: Log { first.log }

  init(_ arguments: Arguments) throws(UsageError) {
    let log = Log(level: try arguments.logLevel())
    cameras = try arguments.cameras()
    let session = try SessionSettings(arguments)
    endpoints = try arguments.endpoints()
    try Self.checkPorts(endpoints, cameras: cameras.count, isMuxed: session.isMuxed)
    guard !endpoints.isEmpty || arguments.verb == .bench else {
      throw UsageError("no receiver; --to HOST:PORT is needed")
    }
    let frames = try FrameSettings(arguments)
    let source = try SourceSettings(arguments, cameras: cameras, isPolled: frames.early != .off, log: log)
    let ssrc = try arguments.ssrc()
    let thread = try ThreadSettings(arguments, cameras: cameras.count)
    sdpPath = try arguments.path("sdp")
    first = StreamSettings(
      camera: cameras[0], name: StreamSettings.name(0), source: source, frames: frames, session: session,
      thread: thread,
      lifecycle: .init(
        waits: arguments.has("wait"), exitsOnLoss: arguments.has("exit-on-loss") || arguments.verb == .bench),
      stallTimeout: try arguments.number("stall-timeout", of: "seconds", in: 0.1...3600).map { Int64($0 * 1e9) },
      ssrc: ssrc, log: log)
  }
}

extension StreamSettings {
  /// Camera `index` of the command line: it has the ports, the SSRC and the CPU after those of the previous one.
  /// - Parameters:
  ///   - receiver: one more than the options name.
  ///   - names: the addresses of the hosts that were found; nil: they are looked up here.
  init(
    _ options: StreamOptions, camera index: Int, measurement: Measurement? = nil, receiver: SocketAddress? = nil,
    names: [String: [SocketAddress]]? = nil
  ) throws {
    var receivers: [NamedReceiver] = []
    receivers.reserveCapacity(options.endpoints.count + 1)
    for endpoint in options.endpoints {
      let host = try names.map { $0[endpoint.host] ?? [] } ?? endpoint.lookUp()
      receivers.append(NamedReceiver(host: endpoint.host, addresses: endpoint.addresses(forCamera: index, of: host)))
    }
    let addresses = receivers.map(\.first)
    for (place, address) in addresses.enumerated() {
      guard let address else { continue }
      try Self.check(address, options.endpoints[place], options.first.session.route)
      let same = addresses.firstIndex { $0?.isSameReceiver(as: address) ?? false }
      guard let first = same, first < place else { continue }
      throw UsageError("--to \(options.endpoints[first]) and \(options.endpoints[place]) are the same receiver")
    }
    if let receiver { receivers.append(NamedReceiver(host: receiver.host, addresses: [receiver])) }
    self = options.first
    camera = options.cameras[index]
    name = Self.name(index)
    thread.cpu = thread.cpu.map { $0 + index }
    ssrc &+= UInt32(index)
    self.receivers = receivers
    self.measurement = measurement
  }

  /// The name of camera `index` of the command line.
  static func name(_ index: Int) -> String { "camera\(index)" }

  /// It is the address of a receiver, and it is known where packets for it leave.
  static func check(_ address: SocketAddress, _ endpoint: Endpoint, _ route: Route) throws(UsageError) {
    if address.isUnspecified {
      throw UsageError("--to \(Endpoint.unspecified("\(endpoint)", port: "\(endpoint.port)"))")
    }
    if route.interface == nil { try endpoint.checkInterface(of: [address], option: "--to ") }
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

extension SourceSettings {
  fileprivate init(
    _ arguments: Arguments, cameras: [CameraName], isPolled: Bool, log: Log
  ) throws(UsageError) {
    let request = ModeRequest(
      format: try arguments.format(),
      size: try arguments.size("size", example: "1280x720"),
      rate: try arguments.value(
        "fps", expected: "frames a second from \(FrameRate.range), such as 30, 7.5 or 30000/1001"
      ) { FrameRate($0) })
    self.init(request: request, log: log)
    self.isPolled = isPolled
    encoding = try EncodingOptions(arguments)
    for text in arguments.values("set") { controls.append(try ControlSetting(text)) }
    flip = try arguments.flip()
    input = arguments.values("input").last
    standard = arguments.values("standard").last
    if let option = input != nil ? "--input" : standard != nil ? "--standard" : nil,
      let camera = cameras.first(where: { if case .device = $0 { false } else { true } })
    {
      throw UsageError("\(option): \(camera) has no inputs; V4L2 devices such as /dev/video0 have")
    }
    if let option = controls.isEmpty ? (flip == nil ? nil : "--flip and --rotate") : "--set",
      let camera = cameras.first(where: { !$0.hasControls })
    {
      throw UsageError("\(option): \(camera) has no controls")
    }
    buffers = try arguments.integer("buffers", in: 2...32) ?? buffers
  }
}

extension FrameSettings {
  fileprivate init(_ arguments: Arguments) throws(UsageError) {
    self.init()
    early =
      try arguments.value("early", expected: "auto, on or off") { text in
        ["auto": .auto, "on": .on, "off": .off][text]
      } ?? early
    repairs =
      try arguments.value("bad-frames", expected: "drop or repair") { text in
        ["drop": false, "repair": true][text]
      } ?? repairs
    recodes =
      try arguments.value("recode", expected: "auto or off") { text in
        ["auto": true, "off": false][text]
      } ?? recodes
    keepsAll = arguments.has("keep-all")
  }
}

extension SessionSettings {
  fileprivate init(_ arguments: Arguments) throws(UsageError) {
    self.init()
    isMuxed = arguments.has("rtcp-mux")
    packetSize =
      arguments.values("mtu").last == "auto"
      ? .upTo(Packetizer.packetSizes.upperBound)
      : try arguments.integer("mtu", in: Packetizer.packetSizes).map { .fixed($0) } ?? packetSize
    segments =
      try arguments.value("gso", expected: "auto or off") { text in ["auto": true, "off": false][text] } ?? segments
    pace =
      try arguments.value("pace", expected: "on, off, or Mbit/s from 0.1 to 100000, such as 80") { text in
        ["on": .on, "off": .off][text] ?? Double(text).flatMap { (0.1...100_000).contains($0) ? .rate($0 * 1e6) : nil }
      } ?? pace
    // RFC 5761, 4: with the marker, 64 to 95 look like RTCP.
    payloadType =
      try arguments.value("payload-type", expected: "0 to 63 or 96 to 127") { text in
        UInt8(text).flatMap { $0 < 64 || (96...127).contains($0) ? $0 : nil }
      } ?? payloadType
    onvifExtension = arguments.has("onvif-extension")
    route.timeToLive = try arguments.integer("ttl", in: 0...255) ?? 1
    route.serviceClass = try arguments.value("dscp", expected: "0 to 63, or a name such as AF41, CS5, EF") { text in
      ServiceClass.number(text)
    }
    route.interface = try arguments.value("interface", expected: "an interface's name ('ip link' has them)") {
      NetworkInterface.isName($0) ? $0 : nil
    }
  }
}

extension ThreadSettings {
  fileprivate init(_ arguments: Arguments, cameras: Int) throws(UsageError) {
    self.init()
    priority = try arguments.integer("realtime", in: 1...99)
    cpu = try arguments.cpu(cameras: cameras)
    statsSeconds = try arguments.number("stats", of: "seconds", in: 0.01...86_400)
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
  fileprivate func cameras() throws(UsageError) -> [CameraName] {
    guard !operands.isEmpty else {
      let example = verb == .bench ? "test:" : "test: --to 127.0.0.1:5000"
      throw UsageError("no camera; such as: \(verb.command) \(example); see '\(verb.command) --help'")
    }
    var cameras: [CameraName] = []
    for text in operands {
      let camera = try CameraName(text)
      if camera.hasControls, cameras.contains(camera) { throw UsageError("\(camera) is named twice") }
      cameras.append(camera)
    }
    return cameras
  }

  fileprivate func endpoints() throws(UsageError) -> [Endpoint] {
    var endpoints: [Endpoint] = []
    for text in values("to") {
      do throws(UsageError) { endpoints.append(try Endpoint(text, needsHost: true)) } catch {
        throw UsageError("--to \(error)")
      }
    }
    return endpoints
  }

  /// The first camera's.
  fileprivate func ssrc() throws(UsageError) -> UInt32 {
    try value("ssrc", expected: "up to 8 hexadecimal digits") { text in
      UInt32(text.lowercased().hasPrefix("0x") ? String(text.dropFirst(2)) : text, radix: 16)
    } ?? .random(in: 0 ... .max)
  }

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
    guard first.thread.priority != nil, let errno = Thread.lockMemory() else { return }
    log.warning(
      "the memory can't be locked: \(errno); CAP_IPC_LOCK allows it: as root, or in a systemd unit"
        + " 'AmbientCapabilities=CAP_SYS_NICE CAP_IPC_LOCK'")
  }
}
