import LinuxIO

/// `streamer bench CAMERA`: streams as ever, or captures alone, for so many frames, and prints where the time went.
struct BenchCommand {
  private let options: BenchOptions

  init(_ options: BenchOptions) { self.options = options }

  func run() throws -> Int32 {
    let former = try readFormer()
    let signals = try Signals()
    let epoll = try Epoll()
    try epoll.add(signals.number, .readable, token: 1)
    let settings = try StreamSettings(options.stream, camera: 0, measurement: options.measurement)
    let camera = try CameraThread(settings, number: 0)
    try epoll.add(camera.board.number, .readable, token: 0)
    var reporter = Reporter(settings, hasSDP: true, printsStatistics: false)
    while !reporter.hasEnded {
      for index in 0..<epoll.wait() {
        if epoll.token(at: index) == 0 {
          reporter.report(camera.board.read())
        } else if signals.next() != nil {
          camera.mailbox.post(.stop)
        }
      }
    }
    camera.join()
    let state = camera.board.read()
    guard reporter.status == 0, let info = state.info, let result = state.measured else {
      return max(1, reporter.status)
    }
    guard result.statistics.captured > 1 else {
      throw Failure("\(settings.camera.label): it gave no frames to measure")
    }
    let report = BenchReport(
      camera: settings.camera.label, info: info, result: result, timestamps: state.timestampSource,
      sends: !settings.destinations.isEmpty, peakResident: ResourceUsage.peakResident)
    switch options.form {
    case .table: try Program.print(report.table)
    case .json: try Program.print(report.json.description + "\n")
    case .csv: try Program.print(report.csv)
    }
    if let page = options.page { try File.write(BenchPage(report).html, to: page) }
    guard let former else { return 0 }
    let comparison = Comparison(former, report.json, tolerance: options.tolerance)
    StandardStream.error.line("\n" + comparison.table)
    return comparison.isWorse ? 1 : 0
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
