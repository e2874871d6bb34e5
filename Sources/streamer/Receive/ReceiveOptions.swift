import LinuxIO
import V4L2Capture

/// The options of `streamer receive`, read.
struct ReceiveOptions {
  let endpoint: Endpoint
  let frames: UInt64?
  let seconds: Double?
  let directory: String?
  /// Where a line for each whole frame is written.
  let times: String?
  let dimensions: FrameSize?
  let decodes: Bool
  /// The time codes in the pictures are read.
  let readsGlass: Bool
  /// Both ends have one wall clock.
  let hasSharedClock: Bool
  let asJSON: Bool
  let log: Log

  init(_ arguments: Arguments) throws(UsageError) {
    guard let text = arguments.operands.first else {
      throw UsageError("no port; such as: streamer receive 5000; see 'streamer receive --help'")
    }
    if arguments.operands.count > 1 {
      let (host, port) = (text, arguments.operands[1])
      if Endpoint.port(text) != nil, Endpoint.port(port) != nil {
        throw UsageError("'streamer receive' takes no '\(port)': it receives at one port; write \(text)")
      }
      let hint = Endpoint.port(port).flatMap { _ in NearMiss.endpoint("\(host) \(port)", needsHost: false) }
      throw UsageError("'streamer receive' takes no '\(port)'" + (hint.map { "; \($0)" } ?? ""))
    }
    endpoint = try Endpoint(text, needsHost: false)
    frames = try arguments.integer("frames", in: 1...1_000_000_000).map { UInt64($0) }
    seconds = try arguments.number("seconds", of: "seconds", in: 0.001...1e9)
    directory = try arguments.value("out", expected: "a directory's name") { $0.isEmpty ? nil : $0 }
    times = try arguments.path("times")
    dimensions = try arguments.size("x-dimensions", example: "3840x2160")
    decodes = arguments.has("decode")
    readsGlass = arguments.has("glass")
    hasSharedClock = arguments.has("shared-clock")
    asJSON = arguments.has("json")
    log = Log(level: try arguments.logLevel())
  }
}
