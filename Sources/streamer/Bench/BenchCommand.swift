import LinuxIO
import Statistics
import V4L2Capture

/// `streamer bench CAMERA`: streams as ever, or captures alone, for so many frames, and prints where the time went.
struct BenchCommand {
  private let options: BenchOptions

  init(_ options: BenchOptions) { self.options = options }

  func run() throws -> Int32 {
    let former = try options.former.map { try FormerResult($0) }
    // Not after hours.
    for (path, option) in [(options.page, OutputOption.html), (options.times, .times)] {
      if let path { try option.attempt { () throws(SystemCallError) in try File.probe(path) } }
    }
    var signals = try Signals()
    var receiver = options.hasReceiver ? try LoopbackReceiver.open(readsGlass: options.readsGlass) : nil
    let settings = try StreamSettings(
      options.stream, camera: 0, measurement: options.measurement, receiver: receiver?.address)
    options.stream.lockMemory()
    var camera = try CameraWatch(settings, number: 0, printsStream: false)
    guard let status = try follow(&camera, &signals, &receiver) else { return 1 }
    camera.thread.join()
    let state = camera.thread.board.read()
    guard var report = BenchReport(settings, state) else {
      if status == 0 { settings.log.info("\(settings.camera.label): stopped before anything was measured") }
      return status
    }
    if let size = state.pictureSize { receiver?.receive(size) }
    report.reception = receiver?.reception(of: report.result.timeline)
    try show(report, &signals)
    guard status == 0, let former else { return status }
    let comparison = Comparison(former.json, report.json, tolerance: options.tolerance)
    StandardStream.error.line("\n" + comparison.table)
    return comparison.isWorse ? 1 : 0
  }

  /// Until the camera's thread ends.
  /// - Returns: the exit status that its end means; nil: a second signal came, and it is not waited for.
  private func follow(
    _ camera: inout CameraWatch, _ signals: inout Signals, _ receiver: inout LoopbackReceiver?
  ) throws -> Int32? {
    let epoll = try Epoll()
    let (board, mailbox) = (camera.thread.board, camera.thread.mailbox)
    try epoll.add(board.number, .readable, token: 0)
    try epoll.add(signals.number, .readable, token: 1)
    if let number = receiver?.number { try epoll.add(number, .readable, token: 2) }
    var progress = Progress(options.measurement, camera.settings.log)
    var asked = 0
    var told = 0
    var size: FrameSize?
    while !camera.reporter.hasEnded {
      for index in 0..<epoll.wait(milliseconds: Progress.step) {
        switch epoll.token(at: index) {
        case 0:
          progress.clear()
          let state = camera.read()
          // Its last result comes without being asked for.
          if state.measurements > told, told < asked {
            told = state.measurements
            StandardStream.error.line(BenchReport(camera.settings, state)?.table ?? "nothing is measured yet")
          }
        case 1:
          let signal = signals.next()
          // A camera whose driver hangs can't be waited for for ever.
          if signal == .stopNow { return nil }
          if signal == .stop { mailbox.post(.stop) }
          if signal == .tell {
            asked += 1
            mailbox.post(.tell)
          }
        default:
          // It is known with the first frame.
          size = size ?? board.peek().pictureSize
          if let size { receiver?.receive(size) }
        }
      }
      camera.update(at: Clock.monotonic)
      if !camera.reporter.hasEnded { progress.show(board.progress.load(ordering: .relaxed)) }
    }
    progress.clear()
    return camera.reporter.status
  }

  /// Writes what was found, as much of it as can be.
  private func show(_ report: BenchReport, _ signals: inout Signals) throws {
    var problem: (any Error)?
    func attempt(_ body: () throws -> Void) { do { try body() } catch { problem = problem ?? error } }
    attempt {
      switch options.form {
      case .table: try Program.print(report.table, &signals)
      case .json: try Program.print(report.json.description + "\n", &signals)
      case .csv: try Program.print(report.csv, &signals)
      }
    }
    attempt { if let page = options.page { try write(BenchPage(report).html, to: page, .html, &signals) } }
    attempt { if let times = options.times { try write(report.times, to: times, .times, &signals) } }
    if let problem { throw problem }
  }

  private func write(_ text: String, to path: String, _ option: OutputOption, _ signals: inout Signals) throws {
    try option.attempt { () throws(SystemCallError) in try File.write(text, to: path)?.finish(&signals) }
  }
}
