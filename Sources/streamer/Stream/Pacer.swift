import LinuxIO

/// Who spreads a receiver's packets over time.
enum Pacer: Equatable, Sendable {
  /// The kernel, on this device: all of a frame is handed over at once, with times of departure (SO_TXTIME).
  case kernel(String)
  /// The loop's timer, since the device's queue does not hold flows to a rate.
  case timer(QueueDiscipline?)

  /// - Parameters:
  ///   - discipline: of the device on the way.
  ///   - takesTimes: the socket takes times of departure, and a frame in few parts: the queue has room for some 100 of a
  ///     flow (fq's flow_limit).
  init(_ discipline: QueueDiscipline?, takesTimes: Bool) {
    if let discipline, discipline.isPacing, takesTimes {
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
      return "by a timer: \(discipline.interface) takes no segmented sends, or the kernel no times of departure"
    case .timer(let discipline?):
      let remedy =
        discipline.interface == "lo"
        ? "" : "; 'sudo tc qdisc replace dev \(discipline.interface) root fq' has the kernel do it"
      return "by a timer, since the queue of \(discipline.interface) is \(discipline.kind)\(remedy)"
    }
  }
}
