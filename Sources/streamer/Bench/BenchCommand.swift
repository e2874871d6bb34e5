import LinuxIO
import Statistics

/// `streamer bench CAMERA`: streams as ever, or captures alone, for so many frames, and prints where the time went.
struct BenchCommand {
  private let options: BenchOptions

  init(_ options: BenchOptions) { self.options = options }

  func run() throws -> Int32 {
    let former = try readFormer()
    let signals = try Signals()
    var receiver = options.hasReceiver ? try LoopbackReceiver.open(readsGlass: options.readsGlass) : nil
    let settings = try StreamSettings(
      options.stream, camera: 0, measurement: options.measurement, receiver: receiver?.address)
    let camera = try CameraThread(settings, number: 0)
    let status = try follow(camera, settings, signals, &receiver)
    camera.join()
    guard status == 0 else { return status }
    let state = camera.board.read()
    guard var report = BenchReport(settings, state) else {
      throw Failure("\(settings.camera.label): it gave no frames to measure")
    }
    if let size = state.info?.size { receiver?.receive(size) }
    report.reception = receiver?.reception(of: report.result.timeline)
    try show(report)
    guard let former else { return 0 }
    let comparison = Comparison(former, report.json, tolerance: options.tolerance)
    StandardStream.error.line("\n" + comparison.table)
    return comparison.isWorse ? 1 : 0
  }

  /// Until the camera's thread ends.
  /// - Returns: the exit status that its end means.
  private func follow(
    _ camera: CameraThread, _ settings: StreamSettings, _ signals: borrowing Signals,
    _ receiver: inout LoopbackReceiver?
  ) throws -> Int32 {
    let epoll = try Epoll()
    try epoll.add(camera.board.number, .readable, token: 0)
    try epoll.add(signals.number, .readable, token: 1)
    if let number = receiver?.number { try epoll.add(number, .readable, token: 2) }
    var reporter = Reporter(settings, hasSDP: true, printsStatistics: false)
    var progress = Progress(options.measurement, settings.options.log)
    var asked = 0
    var told = 0
    while !reporter.hasEnded {
      for index in 0..<epoll.wait(milliseconds: Progress.step) {
        switch epoll.token(at: index) {
        case 0:
          let state = camera.board.read()
          progress.clear()
          reporter.report(state)
          // Its last result comes without being asked for.
          if state.measurements > told, told < asked {
            told = state.measurements
            let text = BenchReport(settings, state)?.table ?? "nothing is measured yet\n"
            StandardStream.error.line(text)
          }
        case 1:
          switch signals.next() {
          case .stop: camera.mailbox.post(.stop)
          case .tell:
            asked += 1
            camera.mailbox.post(.tell)
          case nil: break
          }
        default:
          // It is known before the first packet is sent.
          if let size = camera.board.read().info?.size { receiver?.receive(size) }
        }
      }
      if !reporter.hasEnded { progress.show(camera.board.progress.load(ordering: .relaxed)) }
    }
    progress.clear()
    return reporter.status
  }

  private func show(_ report: BenchReport) throws {
    switch options.form {
    case .table: try Program.print(report.table)
    case .json: try Program.print(report.json.description + "\n")
    case .csv: try Program.print(report.csv)
    }
    if let page = options.page { try File.write(BenchPage(report).html, to: page) }
    if let times = options.times { try File.write(report.times, to: times) }
  }

  /// The earlier result, read before anything is measured.
  private func readFormer() throws -> JSON? {
    guard let path = options.former else { return nil }
    let text = String(decoding: try File.read(path, limit: 1 << 24), as: UTF8.self)
    guard let json = JSONReader.read(text) else {
      throw UsageError("--compare \(path): it is no result of bench --json")
    }
    return json
  }
}
