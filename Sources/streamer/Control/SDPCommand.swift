import LinuxIO
import RTPCore
import V4L2Capture

/// One camera's stream as an SDP names it.
struct SDPStream: Equatable {
  let settings: StreamSettings
  let size: FrameSize?
  let rate: FrameRate?
  /// One for each --to; nil: its name is not found yet.
  let destinations: [SocketAddress?]

  init(_ settings: StreamSettings, size: FrameSize?, rate: FrameRate?, destinations: [SocketAddress?]? = nil) {
    self.settings = settings
    self.size = size
    self.rate = rate
    self.destinations = destinations ?? settings.receivers.map(\.first)
  }

  /// Whether two streams of one camera have the same SDP.
  static func == (one: SDPStream, other: SDPStream) -> Bool {
    one.size == other.size && one.rate == other.rate && one.destinations == other.destinations
  }
}

/// `streamer sdp`: what each camera would stream, without starting it.
struct SDPCommand {
  private let options: StreamOptions

  init(_ options: StreamOptions) { self.options = options }

  func run() throws -> Int32 {
    let streams = try options.cameras.indices.map { try stream(StreamSettings(options, camera: $0)) }
    return try Program.print(Self.texts(streams).compactMap(\.self).joined())
  }

  private func stream(_ settings: StreamSettings) throws -> SDPStream {
    switch settings.camera {
    case .device(let path):
      let choice = try V4L2Camera.choose(settings.source.request, of: Device(opening: path))
      return SDPStream(settings, size: choice.size, rate: choice.rate)
    case .libcamera(let name):
      let device = try LibcameraDevice(opening: name)
      let choice = try LibcameraCamera.choose(settings.source.request, of: device)
      // Which rate it has on its own only its start tells.
      let rate = try device.description().rates == nil ? nil : settings.source.request.rate
      return SDPStream(settings, size: choice.size, rate: rate)
    case .test:
      let choice = try TestSource.choose(settings.source.request)
      return SDPStream(settings, size: choice.size, rate: choice.rate)
    case .file(let path):
      let info = try FileSource(path, settings.source.request, log: settings.log).info
      return SDPStream(settings, size: info.size, rate: info.rate)
    }
  }

  /// The number of a session that begins now.
  static var newSession: UInt64 { UInt64(max(0, Clock.realtime / 1_000_000_000)) }

  /// An SDP for each receiver, nil for one without an address; all cameras are media of it.
  static func texts(
    _ streams: [SDPStream], session: UInt64 = SDPCommand.newSession, version: UInt64 = 1
  ) throws -> [String?] {
    guard let first = streams.first else { return [] }
    return try first.destinations.enumerated().map { index, destination in
      guard let destination else { return nil }
      let local = try DatagramSender(to: destination, over: first.settings.session.route).localAddress
      return SessionDescription(
        origin: .init(host: local.host, isIPv6: local.family == .ipv6), sessionID: session,
        version: version, name: streams.map(\.settings.camera.description).joined(separator: ", "),
        connection: .init(
          host: destination.host, isIPv6: destination.family == .ipv6,
          timeToLive: destination.isMulticast ? first.settings.session.route.timeToLive : nil),
        media: streams.map { stream in
          .init(
            port: stream.destinations[index]?.port ?? destination.port, isMuxed: stream.settings.session.isMuxed,
            payloadType: stream.settings.session.payloadType,
            framesPerSecond: stream.rate?.value,
            size: stream.size.map { (width: Int($0.width), height: Int($0.height)) })
        }
      ).text
    }
  }
}
