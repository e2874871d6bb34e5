import Statistics

/// A part of a frame's way, as its time is measured.
enum Stage: Int, CaseIterable, Sendable {
  case driverToDequeue, dequeueToFirstPacket, dequeueToLastPacket, dequeueToRequeue, firstDataToFirstPacket
  case encoding
  case frameInterval
  /// Measured by a receiver.
  case driverToReceived, shownToReceived

  /// Those that a camera's loop measures.
  static let ofTheLoop = allCases.prefix(while: { $0 != .driverToReceived })

  /// Its key in JSON.
  var key: String {
    switch self {
    case .driverToDequeue: "driver_to_dequeue"
    case .dequeueToFirstPacket: "dequeue_to_first_packet"
    case .dequeueToLastPacket: "dequeue_to_last_packet"
    case .dequeueToRequeue: "dequeue_to_requeue"
    case .firstDataToFirstPacket: "first_data_to_first_packet"
    case .encoding: "encoding"
    case .frameInterval: "frame_interval"
    case .driverToReceived: "driver_to_received"
    case .shownToReceived: "glass_to_received"
    }
  }

  /// For people.
  var title: String {
    switch self {
    case .driverToDequeue: "driver's timestamp to dequeued"
    case .dequeueToFirstPacket: "dequeued to first packet sent"
    case .dequeueToLastPacket: "dequeued to last packet sent"
    case .dequeueToRequeue: "dequeued to buffer given back"
    case .firstDataToFirstPacket: "first data seen to first packet sent"
    case .encoding: "encoding"
    case .frameInterval: "between two frames"
    case .driverToReceived: "driver's timestamp to received whole"
    case .shownToReceived: "time that is seen to received whole"
    }
  }
}

/// The times of a loop's stages.
struct Stages: ~Copyable {
  private let histograms: UnsafeMutablePointer<Histogram>

  init() {
    histograms = .allocate(capacity: Stage.ofTheLoop.count)
    for stage in Stage.ofTheLoop { (histograms + stage.rawValue).initialize(to: Histogram()) }
  }

  deinit {
    histograms.deinitialize(count: Stage.ofTheLoop.count)
    histograms.deallocate()
  }

  @inline(__always)
  func record(_ stage: Stage, _ nanoseconds: Int64) { histograms[stage.rawValue].record(nanoseconds) }

  func reset() { for stage in Stage.ofTheLoop { histograms[stage.rawValue].reset() } }

  /// What was measured so far, of the stages that there were.
  var distributions: [(stage: Stage, times: Distribution)] {
    Stage.ofTheLoop.compactMap { stage in
      histograms[stage.rawValue].count > 0 ? (stage, histograms[stage.rawValue].distribution) : nil
    }
  }
}
