/// A part of a frame's way, as its time is measured.
enum Stage: Int, CaseIterable, Sendable {
  case driverToDequeue, dequeueToFirstPacket, dequeueToLastPacket, dequeueToRequeue, firstDataToFirstPacket
  case encoding
  case frameInterval

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
    }
  }
}

/// The times of all stages of a camera's frames, always measured: recording one takes some nanoseconds.
struct Stages: ~Copyable {
  private let histograms: UnsafeMutablePointer<Histogram>

  init() {
    histograms = .allocate(capacity: Stage.allCases.count)
    for stage in Stage.allCases { (histograms + stage.rawValue).initialize(to: Histogram()) }
  }

  deinit {
    histograms.deinitialize(count: Stage.allCases.count)
    histograms.deallocate()
  }

  @inline(__always)
  func record(_ stage: Stage, _ nanoseconds: Int64) { histograms[stage.rawValue].record(nanoseconds) }

  func reset() { for stage in Stage.allCases { histograms[stage.rawValue].reset() } }

  /// What was measured so far, of the stages that there were.
  var distributions: [(stage: Stage, times: Distribution)] {
    Stage.allCases.compactMap { stage in
      histograms[stage.rawValue].count > 0 ? (stage, histograms[stage.rawValue].distribution) : nil
    }
  }
}
