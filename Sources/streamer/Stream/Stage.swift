import Statistics

/// A part of a frame's way, as its time is measured.
enum Stage: Int, CaseIterable, Sendable {
  case driverToDequeue, dequeueToFirstPacket, dequeueToLastPacket, dequeueToRequeue, firstDataToFirstPacket
  case encoding
  case frameInterval
  /// Measured by `bench`, from the times of each frame.
  case driverToLastPacket
  /// Measured by a receiver.
  case driverToReceived, shownToReceived

  /// Those that a camera's loop measures.
  static let ofTheLoop = allCases.prefix(while: { $0 != .driverToLastPacket })

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
    case .driverToLastPacket: "driver_to_last_packet"
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
    case .driverToLastPacket: "driver's timestamp to last packet sent"
    case .driverToReceived: "driver's timestamp to received whole"
    case .shownToReceived: "time that is seen to received whole"
    }
  }
}

extension Stage {
  /// It begins at the driver's timestamp.
  var isFromDriver: Bool { [.driverToDequeue, .driverToLastPacket, .driverToReceived].contains(self) }

  /// Its title where no driver is there, and the program's own timer stands for one (`test:`, `file:`).
  var titleOfOwnTimer: String {
    switch self {
    case .driverToDequeue: "this program's own timer to dequeued"
    case .driverToLastPacket: "own timer to last packet sent"
    case .driverToReceived: "own timer to received whole"
    default: title
    }
  }
}

/// The times of a loop's stages. They are noted one behind the other, and go into their histograms many at once: a frame's
/// data has taken the processor's caches, and each of the histograms would be fetched anew for it.
struct Stages: ~Copyable {
  private let histograms: UnsafeMutablePointer<Histogram>
  private let notes: UnsafeMutablePointer<Note>
  private var noted = 0

  private struct Note {
    let nanoseconds: Int64
    let stage: Stage
  }

  /// Of some fifty frames.
  private static var capacity: Int { 256 }

  init() {
    histograms = .allocate(capacity: Stage.ofTheLoop.count)
    for stage in Stage.ofTheLoop { (histograms + stage.rawValue).initialize(to: Histogram()) }
    notes = .allocate(capacity: Self.capacity)
  }

  deinit {
    histograms.deinitialize(count: Stage.ofTheLoop.count)
    histograms.deallocate()
    notes.deallocate()
  }

  @inline(__always)
  mutating func record(_ stage: Stage, _ nanoseconds: Int64) {
    (notes + noted).initialize(to: Note(nanoseconds: nanoseconds, stage: stage))
    noted &+= 1
    if noted == Self.capacity { count() }
  }

  /// Puts what was noted into the histograms.
  @inline(never)
  private mutating func count() {
    for note in UnsafeBufferPointer(start: notes, count: noted) {
      histograms[note.stage.rawValue].record(note.nanoseconds)
    }
    noted = 0
  }

  mutating func reset() {
    noted = 0
    for stage in Stage.ofTheLoop { histograms[stage.rawValue].reset() }
  }

  /// What was measured so far, of the stages that there were.
  mutating func distributions() -> [(stage: Stage, times: Distribution)] {
    count()
    return Stage.ofTheLoop.compactMap { stage in
      histograms[stage.rawValue].count > 0 ? (stage, histograms[stage.rawValue].distribution) : nil
    }
  }
}
