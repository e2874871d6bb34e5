import Statistics

/// A frame that came whole.
struct ReceivedFrame {
  /// Nanoseconds of CLOCK_MONOTONIC.
  let arrival: Int64
  /// Nanoseconds from the time that the picture shows; nil: it shows none that can be read, or nobody looked.
  let sinceShown: Int64?
}

/// What the receiver within a benchmark got of the frames that were measured.
struct Reception {
  /// Of each frame, in their order; nil: it never came whole.
  let frames: [ReceivedFrame?]
  /// Frames that were sent, and did not come whole.
  let missing: UInt64
  /// Packets for which its socket had no room.
  let droppedPackets: UInt64
  /// The stages that end there.
  let stages: [(stage: Stage, times: Distribution)]
  /// Frames without a time code that can be read, and frames that show a time to come; nil: nobody looked.
  let glass: (unread: UInt64, ahead: UInt64)?

  init(_ timeline: [Measurement.Sample], _ frames: [ReceivedFrame?], droppedPackets: UInt64, readsGlass: Bool) {
    self.frames = frames
    self.droppedPackets = droppedPackets
    var whole = Histogram()
    var shown = Histogram()
    var (missing, unread, ahead) = (UInt64(0), UInt64(0), UInt64(0))
    for (sample, frame) in zip(timeline, frames) {
      guard let frame else {
        if sample.rtpTimestamp != nil { missing += 1 }
        continue
      }
      whole.record(frame.arrival - sample.timestamp)
      switch frame.sinceShown {
      case nil: unread += 1
      case .some(let time) where time < 0: ahead += 1
      case .some(let time): shown.record(time)
      }
    }
    self.missing = missing
    stages =
      [(.driverToReceived, whole.distribution)] + (shown.count > 0 ? [(.shownToReceived, shown.distribution)] : [])
    glass = readsGlass ? (unread, ahead) : nil
  }

  private var whole: UInt64 { UInt64(frames.reduce(0) { $0 + ($1 == nil ? 0 : 1) }) }

  /// For people.
  var text: String {
    var text = "\(whole) frames received whole"
    if missing > 0 { text += ", \(missing) not" }
    if droppedPackets > 0 { text += "; the receiver's socket had no room for \(droppedPackets) packets" }
    guard let glass else { return text }
    text += ", \(glass.unread) without a readable time code"
    if glass.ahead > 0 { text += ", \(glass.ahead) of a time to come: this clock and that of the display differ" }
    return text
  }

  var json: JSON {
    let glass =
      self.glass.map { [("glass_unread", JSON.integer($0.unread)), ("glass_ahead", .integer($0.ahead))] } ?? []
    return .object(
      [
        ("frames", .integer(whole)), ("missing", .integer(missing)), ("kernel_dropped", .integer(droppedPackets)),
      ] + glass)
  }
}
