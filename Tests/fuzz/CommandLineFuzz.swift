import LinuxIO

/// The command line: the input is words, each ended by a zero byte. Whatever they are, they are read, or a usage error
/// names what is wrong; nothing is opened, sent or printed.
@_cdecl("fuzz_commandline")
public func fuzzCommandLine(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  let words = input.split(separator: 0, maxSplits: 63, omittingEmptySubsequences: false).map {
    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
  }
  do throws(UsageError) {
    let arguments = try Arguments(words)
    if arguments.has("help") || arguments.has("version") { return check(Help.text(for: arguments.verb)) }
    switch arguments.verb {
    case .stream, .sdp: check(try StreamOptions(arguments), count)
    case .bench where arguments.has("glass-page"): _ = try GlassPage(arguments)
    case .bench: check(try BenchOptions(arguments), count)
    case .receive: check(try ReceiveOptions(arguments))
    case .list: _ = try ListCommand(arguments)
    }
  } catch {
    precondition(!error.description.isEmpty && error.description.utf8.count < 8 * count + 2000, "it is no message")
  }
  return 0
}

private func check(_ help: String) -> CInt {
  precondition(help.hasPrefix("Usage: streamer"))
  return 0
}

/// What was read keeps what is promised to all that comes after it.
private func check(_ options: StreamOptions, _ count: Int) {
  precondition(!options.cameras.isEmpty && options.cameras.count <= count)
  let settings = options.first
  let last = 2 * (options.cameras.count - 1)
  for endpoint in options.endpoints {
    precondition(!endpoint.host.isEmpty && Int(endpoint.port) + last + (settings.session.isMuxed ? 0 : 1) <= 65535)
    let again = try? Endpoint(endpoint.description, needsHost: true)
    precondition(again == endpoint, "it is read as it is printed")
  }
  precondition(Set(options.endpoints.map(\.description)).count == options.endpoints.count)
  if let size = settings.source.request.size { precondition(size.area > 0 && FrameSize(size.description) == size) }
  if let rate = settings.source.request.rate {
    precondition(rate.interval > 0 && (0.0009...10_001).contains(rate.value) && !rate.description.isEmpty)
  }
  if let quality = settings.source.encoding.quality { precondition((1...100).contains(quality)) }
  if let bitrate = settings.source.encoding.bitrate { precondition((5e4...1e10).contains(bitrate)) }
  precondition((2...32).contains(settings.source.buffers))
  precondition(Packetizer.packetSizes.contains(settings.session.packetSize.largest))
  precondition(settings.session.payloadType < 64 || (96...127).contains(settings.session.payloadType))
  if let priority = settings.thread.priority { precondition((1...99).contains(priority)) }
  if let cpu = settings.thread.cpu { precondition(cpu >= 0 && cpu + options.cameras.count <= Thread.cpuCount) }
  if let path = options.sdpPath { precondition(!path.isEmpty) }
  if let seconds = settings.thread.statsSeconds { precondition((0.01...86_400).contains(seconds)) }
}

private func check(_ options: BenchOptions, _ count: Int) {
  check(options.stream, count)
  precondition(options.stream.cameras.count == 1 && options.measurement.frames >= 2)
  precondition(options.measurement.frames <= Measurement.mostFrames && (0...10).contains(options.tolerance))
  precondition(options.page == nil || options.page != options.times)
}

private func check(_ options: ReceiveOptions) {
  precondition(options.endpoint.port > 0 && options.directory != "" && options.times != "")
  if let seconds = options.seconds { precondition((0.001...1e9).contains(seconds)) }
  if let frames = options.frames { precondition(frames > 0) }
}
