import LinuxIO
import RTPCore

/// Says what one camera's thread left on its board: each thing once.
struct Reporter {
  private let settings: StreamSettings
  private let hasSDP: Bool
  private(set) var info: SourceInfo?
  private(set) var hasEnded = false
  /// The exit status that its end means.
  private(set) var status: Int32 = 0
  private var saidDrops: UInt32 = 0
  private var saidErrors: [Errno?]
  private var saidRecoding = FrameReader.Recoding()
  private var saidLowRate = false
  private var saidTimestamps = false
  private var saidSSRC: UInt32?
  private var saidSegments: [Bool]
  private var saidBuffers: [Bool]
  private var saidPacketSize: Int?
  private var isSilent = false
  private var ticks = 0

  private var log: Log { settings.options.log }
  private var name: String { settings.camera.label }

  /// - Parameter hasSDP: an SDP is written for the receivers.
  init(_ settings: StreamSettings, hasSDP: Bool) {
    self.settings = settings
    self.hasSDP = hasSDP
    saidErrors = Array(repeating: nil, count: settings.destinations.count)
    saidSegments = Array(repeating: false, count: settings.destinations.count)
    saidBuffers = saidSegments
  }

  mutating func report(_ state: Board.State) {
    if info == nil, let info = state.info {
      self.info = info
      let receivers = settings.destinations.map(\.description).joined(separator: ", ")
      log.info("\(name): \(info.description), to \(receivers)")
      if max(info.size.width, info.size.height) > 2040, !hasSDP {
        log.warning(
          "\(name): RTP/JPEG can't say a size over 2040 pixels: receivers need it from the SDP (--sdp FILE)")
      }
    }
    if let source = state.timestampSource, !saidTimestamps {
      saidTimestamps = true
      log.debug("\(name): timestamps are \(source.text)")
    }
    sayDrops(state.statistics)
    sayErrors(state)
    saySilence(state)
    sayRecoding(state.statistics.recoding)
    sayRate(state.statistics)
    if state.ticks != ticks {
      ticks = state.ticks
      sayStatistics(state)
    }
    saySource(state)
    sayHandover(state)
    if let end = state.end, !hasEnded { sayEnd(end, state) }
  }

  private mutating func sayDrops(_ statistics: StreamStatistics) {
    let before = saidDrops
    guard statistics.newDrops(since: &saidDrops) else { return }
    for cause in DropCause.allCases where before >> UInt32(cause.rawValue) & 1 == 0 && statistics[cause] > 0 {
      log.warning("\(name): a frame was dropped: \(cause.explanation). It is counted as \(cause.name) from now on")
    }
  }

  private mutating func sayErrors(_ state: Board.State) {
    for (index, errno) in state.destinationErrors.enumerated() {
      guard let errno, errno != saidErrors[index] else { continue }
      saidErrors[index] = errno
      let remedy = Self.remedy(errno)
      log.warning(
        "\(name): packets to \(settings.destinations[index]) are lost: \(errno)\(remedy). It is tried again with every frame"
      )
    }
  }

  private static func remedy(_ errno: Errno) -> String {
    switch errno {
    case .connectionRefused: "; nobody receives there yet"
    case .messageTooLarge: "; packets are larger than the way there takes: a smaller --mtu, or --mtu auto, helps"
    default: ""
    }
  }

  /// How packets are handed to the kernel, where that is another way than usual.
  private mutating func sayHandover(_ state: Board.State) {
    for index in settings.destinations.indices where state.refusedSegments[index] && !saidSegments[index] {
      saidSegments[index] = true
      log.info(
        "\(name): the network device on the way to \(settings.destinations[index]) takes no segmented sends (UDP GSO):"
          + " packets are handed over one by one, which costs more CPU time")
    }
    for index in settings.destinations.indices where state.smallBuffers[index] && !saidBuffers[index] {
      saidBuffers[index] = true
      log.info(
        "\(name): the socket to \(settings.destinations[index]) holds less than two frames:"
          + " 'sudo sysctl net.core.wmem_max=4194304' allows more, so that a moment's delay costs no packets")
    }
    if let size = state.packetSize, size != saidPacketSize {
      saidPacketSize = size
      log.info("\(name): packets have up to \(size) bytes now, as much as the way to the receivers takes")
    }
  }

  private mutating func saySilence(_ state: Board.State) {
    guard state.isSilent != isSilent else { return }
    isSilent = state.isSilent
    if isSilent {
      log.warning(
        "\(name): it has given no frame for some seconds; is its cable, its USB hub or its power at fault? It is waited for"
      )
    } else {
      log.info("\(name): it gives frames again")
    }
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

  private mutating func sayEnd(_ end: Board.End, _ state: Board.State) {
    hasEnded = true
    switch end {
    case .stopped: break
    case .failed(let reason):
      status = 1
      log.error(reason.contains(name) ? reason : "\(name): \(reason)")
    case .refused(let reason):
      status = 2
      log.error(reason)
    }
    if info != nil { sayStatistics(state) }
  }

  private func sayStatistics(_ state: Board.State) {
    for (address, reception) in zip(settings.destinations, state.receptions) where reception.receivers > 0 {
      StandardStream.output.line("\(name): \(address) reports \(reception.text)")
    }
    StandardStream.output.line("\(name): \(state.statistics.text)")
  }

  private mutating func saySource(_ state: Board.State) {
    guard let ssrc = state.changedSSRC, ssrc != saidSSRC else { return }
    saidSSRC = ssrc
    log.warning(
      "\(name): someone else uses this stream's SSRC: it goes on as \(String(ssrc, radix: 16, uppercase: true))")
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
