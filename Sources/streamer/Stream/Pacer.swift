import LinuxIO

/// Who spreads a receiver's packets over time.
enum Pacer: Equatable, Sendable {
  /// The kernel, on this device: all of a frame is handed over at once (SO_MAX_PACING_RATE).
  case kernel(String)
  /// The loop's timer, since the device's queue does not hold flows to a rate.
  case timer(QueueDiscipline?)

  /// - Parameters:
  ///   - discipline: of the device on the way.
  ///   - segments: a frame is handed over in few parts: the queue has room for some 100 of a flow (fq's flow_limit).
  init(_ discipline: QueueDiscipline?, segments: Bool) {
    if let discipline, discipline.isPacing, segments {
      self = .kernel(discipline.interface)
    } else {
      self = .timer(discipline)
    }
  }

  /// For people.
  var text: String {
    switch self {
    case .kernel(let interface): return "by the kernel (fq on \(interface))"
    case .timer(nil): return "by a timer"
    case .timer(let discipline?) where discipline.isPacing:
      return "by a timer: \(discipline.interface) takes no segmented sends"
    case .timer(let discipline?):
      let remedy =
        discipline.interface == "lo"
        ? "" : "; 'sudo tc qdisc replace dev \(discipline.interface) root fq' has the kernel do it"
      return "by a timer, since the queue of \(discipline.interface) is \(discipline.kind)\(remedy)"
    }
  }
}
