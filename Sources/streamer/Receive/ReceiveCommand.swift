import JPEGCodec
import LinuxIO
import RTPCore

/// `streamer receive`: an RTP/JPEG receiver that counts, checks and writes what comes.
struct ReceiveCommand {
  private let options: ReceiveOptions

  init(_ options: ReceiveOptions) { self.options = options }

  /// Several large frames, in bytes of the kernel's accounting.
  private static let bufferBytes = 8 << 20

  func run() throws -> Int32 {
    if let directory = options.directory {
      try OutputOption.out.attempt { () throws(SystemCallError) in try File.makeDirectory(directory) }
    }
    var signals = try Signals()
    let receiver = try receiver()
    let feedback = try FeedbackLink.open(receiver.localAddresses, options.log)
    var times: FileWriter?
    if let path = options.times {
      times = try OutputOption.times.attempt { () throws(SystemCallError) in
        let file = try FileWriter(creating: path)
        try file.line(ReceiveSession.timesHeader)
        return file
      }
    }
    var session = try ReceiveSession(
      options, receiver: receiver, feedback: feedback, decoder: JPEGDecoder(), glass: GlassReader(), times: times)
    let epoll = try Epoll()
    let tick = try Timer()
    try epoll.add(signals.number, .readable, token: 0)
    try epoll.add(session.number, .readable, token: 1)
    try epoll.add(tick.number, .readable, token: 2)
    try epoll.add(session.feedbackNumber, .readable, token: 3)
    let start = Clock.monotonic
    let second: Int64 = 1_000_000_000
    try tick.start(first: start + second, every: second)
    let end = options.seconds.map { start + Int64($0 * 1e9) } ?? .max
    while Clock.monotonic < end, !session.isDone {
      let left = min(1000, max(0, (min(end, session.reportDue) - Clock.monotonic) / 1_000_000 + 1))
      for index in 0..<epoll.wait(milliseconds: Int32(left)) {
        switch epoll.token(at: index) {
        case 0:
          switch signals.next() {
          case .stop, .stopNow: session.stop()
          case .tell: session.printSoFar()
          case nil: break
          }
        case 1: session.receive()
        case 3: session.receiveFeedback()
        default:
          guard tick.expirations() > 0 else { continue }
          if !options.asJSON { session.printSecond() }
          session.reportNothing()
          session.flush()
          // Such as `| head`: nobody is there for the result.
          if StandardStream.output.isClosed { session.stop() }
        }
      }
      session.report()
    }
    session.end()
    session.flush()
    try session.printResult(&signals)
    signals.end()
    session.finish(&signals)
    return session.status()
  }

  private func receiver() throws -> DatagramReceiver {
    let endpoint = options.endpoint
    if endpoint.host.isEmpty {
      // "::" takes IPv4, too; a kernel without IPv6 has only the other.
      let both = try SocketAddress(host: "::", port: endpoint.port, passive: true)
      do throws(SystemCallError) {
        return try DatagramReceiver(at: both, bufferBytes: Self.bufferBytes)
      } catch {
        if error.errno == .addressInUse { throw error }
      }
    }
    let addresses = try SocketAddress.all(
      host: endpoint.host.isEmpty ? "0.0.0.0" : endpoint.host, port: endpoint.port, passive: true)
    try endpoint.checkInterface(of: addresses, option: "")
    return try DatagramReceiver(at: addresses, bufferBytes: Self.bufferBytes)
  }
}
