import LinuxIO
import V4L2Capture

/// All that one camera's thread needs to know.
struct StreamSettings: Sendable {
  let camera: CameraName
  let request: ModeRequest
  let quality: Int
  let buffers: Int
  let packetSize: Int
  let payloadType: UInt8
  let ssrc: UInt32
  let repairs: Bool
  let recodes: Bool
  let onvifExtension: Bool
  let cpu: Int?
  let statsSeconds: Double?
  let destinations: [SocketAddress]
  let log: Log

  /// Camera `index` of the command line: it has the ports, the SSRC and the CPU behind those of the one before.
  init(_ options: StreamOptions, camera index: Int) throws {
    camera = options.cameras[index]
    request = options.request
    quality = options.quality
    buffers = options.buffers
    packetSize = options.packetSize
    payloadType = options.payloadType
    ssrc = options.ssrc &+ UInt32(index)
    repairs = options.repairs
    recodes = options.recodes
    onvifExtension = options.onvifExtension
    cpu = options.cpu.map { $0 + index }
    statsSeconds = options.statsSeconds
    destinations = try options.endpoints.map { try $0.address(forCamera: index) }
    log = options.log
  }
}
