import LinuxIO
import RTPCore
import V4L2Capture

/// One camera's stream as an SDP names it.
struct SDPStream {
  let settings: StreamSettings
  let size: FrameSize?
  let rate: FrameRate?
}

/// `streamer sdp`: what each camera would stream, without starting it.
struct SDPCommand {
  private let options: StreamOptions

  init(_ options: StreamOptions) { self.options = options }

  func run() throws -> Int32 {
    let streams = try options.cameras.indices.map { try stream(StreamSettings(options, camera: $0)) }
    return try Program.print(Self.texts(streams).joined())
  }

  private func stream(_ settings: StreamSettings) throws -> SDPStream {
    switch settings.camera {
    case .device(let path):
      let choice = try V4L2Camera.choose(settings.options.request, of: Device(opening: path))
      return SDPStream(settings: settings, size: choice.size, rate: choice.rate)
    case .libcamera(let name):
      let device = try LibcameraDevice(opening: name)
      let choice = try LibcameraCamera.choose(settings.options.request, of: device)
      // Which rate it has on its own only its start tells.
      let rate = try device.description().rates == nil ? nil : settings.options.request.rate
      return SDPStream(settings: settings, size: choice.size, rate: rate)
    case .test:
      let choice = try TestSource.choose(settings.options.request)
      return SDPStream(settings: settings, size: choice.size, rate: choice.rate)
    case .file(let path):
      let info = try FileSource(path, settings.options.request, log: settings.options.log).info
      return SDPStream(settings: settings, size: info.size, rate: info.rate)
    }
  }

  /// An SDP for each receiver; all cameras are media of it.
  static func texts(_ streams: [SDPStream]) throws -> [String] {
    guard let first = streams.first else { return [] }
    let session = UInt64(Clock.realtime / 1_000_000_000)
    return try first.settings.destinations.enumerated().map { index, destination in
      let local = try DatagramSender(to: destination, over: first.settings.options.route).localAddress
      return SessionDescription(
        origin: .init(host: local.host, isIPv6: local.family == .ipv6), sessionID: session,
        name: streams.map(\.settings.camera.description).joined(separator: ", "),
        connection: .init(
          host: destination.host, isIPv6: destination.family == .ipv6,
          timeToLive: destination.isMulticast ? first.settings.options.route.timeToLive : nil),
        media: streams.map { stream in
          .init(
            port: stream.settings.destinations[index].port, isMuxed: stream.settings.options.isMuxed,
            payloadType: stream.settings.options.payloadType,
            framesPerSecond: stream.rate?.value,
            size: stream.size.map { (width: Int($0.width), height: Int($0.height)) })
        }
      ).text
    }
  }
}
