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
    if arguments.operands.count > 1 { throw UsageError("'streamer receive' takes no '\(arguments.operands[1])'") }
    endpoint = try Endpoint(text, needsHost: false)
    frames = try arguments.integer("frames", in: 1...1_000_000_000).map { UInt64($0) }
    seconds = try arguments.value("seconds", expected: "seconds, such as 10 or 0.5") { text in
      Double(text).flatMap { (0.001...1e9).contains($0) ? $0 : nil }
    }
    directory = arguments.values("out").last
    times = try arguments.value("times", expected: "a file's name") { $0.isEmpty ? nil : $0 }
    dimensions = try arguments.value("x-dimensions", expected: "WIDTHxHEIGHT, such as 3840x2160") { FrameSize($0) }
    decodes = arguments.has("decode")
    readsGlass = arguments.has("glass")
    hasSharedClock = arguments.has("shared-clock")
    asJSON = arguments.has("json")
    log = Log(level: try arguments.logLevel())
  }
}
