import LinuxIO
import RTPCore
import V4L2Capture

/// Says what one camera's thread left on its board: each thing once.
struct Reporter {
  private let settings: StreamSettings
  /// With the addresses that their names had last.
  var receivers: [NamedReceiver]
  /// Where the SDP for the first receiver is written.
  private let sdpPath: String?
  /// It is printed how the stream is watched, and what became of it.
  private let printsStream: Bool
  private var saidMeasurements = 0
  private(set) var info: SourceInfo?
  /// Pixels of the camera's pictures, by their own headers.
  private(set) var pictureSize: FrameSize?
  /// Sizes that were reported: each is once, and at most so many.
  private var reportedSizes: [FrameSize] = []
  private static let maximumSizes = 8
  private var hasReportedBlocks = false
  private var reportedHints: [String] = []
  private static let maximumHints = 4
  private(set) var hasEnded = false
  /// The exit status that its end means.
  private(set) var status: Int32 = 0
  private var saidDrops: UInt32 = 0
  /// What was said of each receiver.
  private var saidReceivers: [Board.Receiver] = []
  /// Those of whose outage the user was told, and not of its end.
  private var failedReceivers: [SocketAddress] = []
  private var reportedRefusals = 0
  private var saidRecoding = FrameReader.Recoding()
  private var saidLowRate = false
  private var saidTimestamps = false
  private var saidSSRC: UInt32?
  private var reportedForeign = false
  private var saidPacketSize: Int?
  private var reportedEvents = 0
  private var limiter = RepeatLimiter()
  private var hasStalled = false
  private var wasLost = false
  private var reportedAskedAgain = false
  private var reportedTimestamps = false
  private var reportedControlNotes = 0
  private var reportedSingleFields = false
  private var saidEarly = false
  private var reportedRefusal = false
  private var ticks = 0
  /// Since the start, or the last print.
  private var lastReading: IntervalStatistics.Reading?
  private var printedSilent: [String] = []
  private var printedOthers = 0
  private var hasLostLines = false
  private static let maximumSilent = 8

  private var log: Log { settings.log }
  private var name: String { settings.camera.label }

  /// - Parameters:
  ///   - sdpPath: where the SDP for the first receiver is written; nil: nowhere.
  ///   - printsStream: it is printed how the stream is watched, and what became of it, at its end and when that is due.
  init(_ settings: StreamSettings, sdpPath: String? = nil, printsStream: Bool = true) {
    self.settings = settings
    receivers = settings.receivers
    self.printsStream = printsStream
    self.sdpPath = sdpPath
  }

  mutating func report(_ state: Board.State) {
    if info == nil, let info = state.info {
      self.info = info
      lastReading = .init(state)
      let places = receivers.map { text(of: $0, state) }.joined(separator: ", ")
      log.info("\(name): \(info.description)\(places.isEmpty ? "" : ", to \(places)")")
    }
    reportSize(state)
    if let source = state.timestampSource, !saidTimestamps {
      saidTimestamps = true
      log.debug("\(name): timestamps are \(source.text)")
    }
    for note in state.controlNotes.dropFirst(reportedControlNotes) { log.warning("\(name): \(note)") }
    reportedControlNotes = state.controlNotes.count
    if state.hasFaultyTimestamps && !reportedTimestamps {
      reportedTimestamps = true
      log.warning(
        "\(name): its driver's timestamps stand still, repeat, go back or are far from the time: frames are timed by their"
          + " arrival, evenly")
    }
    sayDrops(state.statistics)
    sayReceivers(state)
    reportEvents(state)
    sayEarly(state)
    sayRecoding(state.statistics.recoding)
    reportSingleFields(state.statistics)
    sayRate(state.statistics)
    if state.ticks != ticks {
      ticks = state.ticks
      printStatistics(state, isTick: true)
    }
    saySource(state)
    reportForeign(state)
    sayMeasured(state)
    if let end = state.end, !hasEnded { sayEnd(end, state) }
  }

  private mutating func reportSize(_ state: Board.State) {
    guard let size = state.pictureSize, let info else { return }
    let before = pictureSize
    pictureSize = size
    if size != before, !reportedSizes.contains(size), reportedSizes.count < Self.maximumSizes {
      if let before {
        log.warning("\(name): its pictures are \(size) from now on, no longer \(before)")
      } else if size != info.size {
        log.warning("\(name): its pictures are \(size), not \(info.size) as its mode says: receivers get \(size)")
      }
      reportedSizes.append(size)
    }
    if printsStream { reportHints(size, state) }
  }

  /// How the stream is watched: each command once.
  private mutating func reportHints(_ size: FrameSize, _ state: Board.State) {
    let hint = PlayerHint(size: size, payloadType: settings.session.payloadType, sdpPath: sdpPath)
    if let shown = hint.shownSize, !hasReportedBlocks {
      hasReportedBlocks = true
      log.info("\(name): players show \(shown) for its \(size): RTP/JPEG counts sizes in blocks of 8 pixels")
    }
    for receiver in state.receivers.prefix(Self.maximumHints).map(\.address) {
      let command = hint.text(for: receiver)
      guard !reportedHints.contains(command), reportedHints.count < Self.maximumHints else { continue }
      reportedHints.append(command)
      let place = receiver.isMulticast ? "" : receiver.isLoopback ? " here" : " at \(receiver.host)"
      log.info("\(name): watch it\(place) with: \(command)")
    }
  }

  private mutating func sayDrops(_ statistics: StreamStatistics) {
    let before = saidDrops
    guard statistics.newDrops(since: &saidDrops) else { return }
    for cause in DropCause.allCases where before >> UInt32(cause.rawValue) & 1 == 0 && statistics[cause] > 0 {
      log.warning("\(name): a frame was dropped: \(cause.explanation). It is counted as \(cause.name) from now on")
    }
  }

  private mutating func sayReceivers(_ state: Board.State) {
    for refusal in state.refusedReceivers.dropFirst(reportedRefusals) { log.error("\(name): \(refusal)") }
    reportedRefusals = state.refusedReceivers.count
    for receiver in state.receivers {
      let said = saidReceivers.first { $0.address == receiver.address }
      sayNews(receiver, since: said ?? .init(address: receiver.address))
    }
    failedReceivers.removeAll { address in !state.receivers.contains { $0.address == address } }
    // An array of its own: a shared one would have the camera's thread copy it at its next post.
    saidReceivers = state.receivers.filter(\.isSpecial)
    if let size = state.packetSize, size != saidPacketSize {
      saidPacketSize = size
      log.info("\(name): packets have up to \(size) bytes now, as much as the way to the receivers takes")
    }
  }

  /// With the address that it is sent to, as far as its name is found.
  private func text(of receiver: NamedReceiver, _ state: Board.State) -> String {
    let address = state.receivers.map(\.address).first(where: receiver.has) ?? receiver.first
    return address.map(receiver.text) ?? receiver.host
  }

  private func receiver(at address: SocketAddress) -> NamedReceiver? {
    receivers.first { $0.has(address) }
  }

  /// Another address of the receiver is tried instead: see `AddressChoice`.
  private func hasOthers(_ address: SocketAddress, _ errno: Errno) -> Bool {
    errno.isOfAddress && receiver(at: address)?.hasOthers ?? false
  }

  private func sayNews(_ receiver: Board.Receiver, since said: Board.Receiver) {
    if receiver.refusesSegments && !said.refusesSegments {
      log.info(
        "\(name): the network device on the way to \(receiver.address) takes no segmented sends (UDP GSO):"
          + " packets are handed over one by one, which costs more CPU time")
    }
    if let pacing = receiver.pacing, pacing != said.pacing {
      log.info("\(name): large frames to \(receiver.address) are spread \(pacing)")
    }
    if receiver.hasSmallBuffer && !said.hasSmallBuffer {
      log.info(
        "\(name): the socket to \(receiver.address) holds less than two frames:"
          + " 'sudo sysctl net.core.wmem_max=4194304' allows more, so that a moment's delay costs no packets")
    }
  }

  private mutating func reportEvents(_ state: Board.State) {
    if state.isAskedAgain && !reportedAskedAgain {
      reportedAskedAgain = true
      log.info("\(name): its driver does not wake epoll when a frame is there; it is asked again before each wait")
    }
    let events = state.events.since(reportedEvents)
    let missed = state.events.count - reportedEvents - events.count
    if missed > 0 { log.warning("\(name): so much happened at once that \(missed) events are not logged") }
    for event in events { report(event) }
    reportedEvents = state.events.count
  }

  private mutating func report(_ event: CameraEvent) {
    switch event {
    case .camera(.absent(let failure), let reason):
      wasLost = true
      let cause = reason.map { $0.contains(name) ? $0 : "\(name): \($0)" } ?? name
      logRepeated(.warning, "\(cause): \(failure.text)")
    case .camera(.stalled(.restartStream), _):
      hasStalled = true
      logRepeated(
        .warning,
        "\(name): it has given no frame for some seconds; is its cable, its USB hub or its power at fault?"
          + " Its stream is restarted")
    case .camera(.stalled(let step), _):
      hasStalled = true
      logRepeated(.warning, "\(name): \(CameraLifecycle.State.stalled(step))")
    case .camera(.streaming, _):
      if hasStalled || wasLost { logRepeated(.info, "\(name): it \(hasStalled ? "gives frames again" : "is back")") }
      (hasStalled, wasLost) = (false, false)
    case .camera: break
    case .receiverFailed(let address, let errno):
      if hasOthers(address, errno) { return }
      if !failedReceivers.contains(address) { failedReceivers.append(address) }
      let remedy = errno.networkRemedy.map { "; \($0)" } ?? ""
      logRepeated(
        .warning, about: address,
        "\(name): packets to \(address) are lost: \(errno)\(remedy). It is tried again with every frame")
    case .receiverRecovered(let address, let source, let outage):
      guard let index = failedReceivers.firstIndex(of: address) else { return }
      failedReceivers.remove(at: index)
      let tenths = (outage + 50_000_000) / 100_000_000
      let origin = source.map { ", from \($0.host)" } ?? ""
      logRepeated(
        .info, about: address,
        "\(name): packets to \(address) are sent again\(origin); they were lost for \(tenths / 10).\(tenths % 10) s")
    }
  }

  /// Logs what may happen again and again.
  /// - Parameter subject: one receiver; nil: the camera.
  private mutating func logRepeated(_ level: Log.Level, about subject: SocketAddress? = nil, _ text: String) {
    let subject = subject?.description ?? ""
    guard let line = limiter.admit(.init(level: level, text: text), about: subject, at: Clock.monotonic) else { return }
    log.line(line.level, line.text)
  }

  /// Milliseconds until `logHeldBack` has something to log; -1: not before something happens.
  func pause(at now: Int64) -> Int32 {
    guard let due = limiter.due else { return -1 }
    return Int32(clamping: max(0, (due - now + 999_999) / 1_000_000))
  }

  /// Logs what happened too often to be logged at once.
  mutating func logHeldBack(at now: Int64) {
    while let line = limiter.next(at: now) { log.line(line.level, line.text) }
  }

  private mutating func sayEarly(_ state: Board.State) {
    if state.isEarly && !saidEarly {
      saidEarly = true
      log.info("\(name): packets leave while it still sends the frame (--early off waits for whole frames)")
    }
    guard let refusal = state.earlyRefusal, !reportedRefusal, settings.frames.early != .off else { return }
    reportedRefusal = true
    let reason =
      switch refusal {
      case .unseen: "its frames' data is not seen as it comes"
      case .changing: "its driver changes a frame's data behind"
      case .unfit: "its frames have to be re-coded"
      }
    let text = "\(name): packets leave when a frame is all there: \(reason)"
    if settings.frames.early == .on { log.warning(text) } else { log.debug(text) }
  }

  private mutating func sayRecoding(_ recoding: FrameReader.Recoding) {
    guard recoding.isNews(since: saidRecoding) else { return }
    let tenths = recoding.cost / 100_000
    let cost = "it took \(tenths / 10).\(tenths % 10) ms for one frame (--recode off drops them instead)"
    if saidRecoding.lossless == 0 && recoding.lossless > 0 {
      log.warning("\(name): its JPEGs are re-coded without loss, since RTP can't carry them as they are: \(cost)")
    }
    if saidRecoding.reencoded == 0 && recoding.reencoded > 0 {
      log.warning("\(name): its JPEGs are decoded and encoded again, since RTP can't carry them as they are: \(cost)")
    }
    saidRecoding = recoding
  }

  private mutating func sayRate(_ statistics: StreamStatistics) {
    guard let rate = statistics.lowRate, !saidLowRate else { return }
    saidLowRate = true
    let promised = info?.rate.map { "\($0)" } ?? "?"
    let tenths = Int((rate * 10).rounded())
    log.warning(
      "\(name): it gives \(tenths / 10).\(tenths % 10) frames a second, not \(promised). The usual cause is little light:"
        + " the camera exposes longer. More light helps, or"
        + " 'v4l2-ctl -d \(name) --set-ctrl exposure_dynamic_framerate=0' (exposure_auto_priority before Linux 5.17)")
  }

  private mutating func reportSingleFields(_ statistics: StreamStatistics) {
    guard statistics.singleFields > 0, !reportedSingleFields else { return }
    reportedSingleFields = true
    log.warning(
      "\(name): a picture is one field of interlaced video by its own mark (AVI1), and no field of the other half of the"
        + " lines and of its size came with it: such a picture is sent by itself, and has half of the lines. It is counted"
        + " as a single field from now on")
  }

  private mutating func sayEnd(_ end: Board.End, _ state: Board.State) {
    hasEnded = true
    logHeldBack(at: .max)
    switch end {
    case .stopped: break
    case .failed(let reason):
      status = 1
      log.error(reason.contains(name) ? reason : "\(name): \(reason)")
    case .refused(let reason):
      status = 2
      log.error(reason)
    }
    if info != nil { printStatistics(state) }
  }

  private mutating func printStatistics(_ state: Board.State, isTick: Bool = false) {
    guard printsStream else { return }
    for receiver in state.receivers where receiver.reception.receivers > 0 && !receiver.isFailing {
      print("\(name): \(receiver.address) reports \(receiver.reception.text)")
    }
    printSilent(state)
    let reading = IntervalStatistics.Reading(state)
    let interval = isTick ? lastReading.flatMap { IntervalStatistics(from: $0, to: reading) } : nil
    lastReading = reading
    print("\(name): \(state.statistics.text)\(interval.map { "; \($0.text)" } ?? "")")
  }

  /// Prints a line. That nobody reads it, or not quickly enough, is no fault.
  private mutating func print(_ text: String) {
    guard let errno = StandardStream.output.line(text), ![.brokenPipe, .wouldBlock].contains(errno) else { return }
    if !hasLostLines { log.error("standard output: \(errno): what is printed there is lost") }
    hasLostLines = true
    status = max(status, 1)
  }

  /// Receivers of which it is not known that packets arrive: when that changes.
  private mutating func printSilent(_ state: Board.State) {
    let silent = state.receivers.filter { $0.isFailing || $0.reception.receivers == 0 }
    let lines = silent.prefix(Self.maximumSilent).map { receiver in
      if receiver.isFailing, let errno = receiver.errno { return "packets to \(receiver.address) are lost: \(errno)" }
      let end = receiver.hasReported ? " any more" : ""
      return "\(receiver.address) sends no reports\(end): whether packets arrive there is unknown"
    }
    for line in lines where !printedSilent.contains(line) { print("\(name): \(line)") }
    printedSilent = lines
    let others = silent.count - lines.count
    if others > 0, others != printedOthers {
      print("\(name): of \(others) more receivers it is not known, either, whether packets arrive")
    }
    printedOthers = others
  }

  /// Where the time went so far, when that is asked for.
  private mutating func sayMeasured(_ state: Board.State) {
    guard state.measurements != saidMeasurements, printsStream else { return }
    saidMeasurements = state.measurements
    guard let report = BenchReport(settings, state) else { return log.info("\(name): nothing is measured yet") }
    print(report.table)
  }

  private mutating func reportForeign(_ state: Board.State) {
    guard let (address, receiver) = state.foreignReport, !reportedForeign else { return }
    reportedForeign = true
    log.warning(
      "\(name): RTCP reports from \(address) are ignored: the stream goes to \(receiver), and only reports from there count"
    )
  }

  private mutating func saySource(_ state: Board.State) {
    guard let ssrc = state.changedSSRC, ssrc != saidSSRC else { return }
    saidSSRC = ssrc
    log.warning(
      "\(name): someone else uses this stream's SSRC: it goes on as \(ssrc.ssrcText)")
  }
}

extension RTCPSender.Reception {
  /// One line for people; of several receivers the worst.
  fileprivate var text: String {
    // In tenths.
    let percent = (Int(fractionLost) * 1000 + 128) / 256
    let jitterTenths = Int((Double(jitter) / 9).rounded())
    var text = receivers > 1 ? "of \(receivers) receivers at worst " : ""
    text += "\(percent / 10).\(percent % 10) % lost (\(lost) packets in all)"
    text += ", jitter \(jitterTenths / 10).\(jitterTenths % 10) ms"
    if let roundTrip { text += ", round trip \(roundTrip / 1_000_000).\(roundTrip / 100_000 % 10) ms" }
    return text
  }
}
