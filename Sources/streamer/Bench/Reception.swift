import Statistics

/// What the receiver within a benchmark got of the frames that were measured.
struct Reception {
  /// When each was whole, in nanoseconds of CLOCK_MONOTONIC; nil: it never was.
  let arrivals: [Int64?]
  /// From the driver's timestamps.
  let times: Distribution
  /// Frames that were sent, and did not come whole.
  let missing: UInt64
  /// Packets for which its socket had no room.
  let droppedPackets: UInt64

  init(_ timeline: [Measurement.Sample], arrivals: [Int64?], droppedPackets: UInt64) {
    self.arrivals = arrivals
    self.droppedPackets = droppedPackets
    var histogram = Histogram()
    var missing: UInt64 = 0
    for (sample, arrival) in zip(timeline, arrivals) {
      if let arrival {
        histogram.record(arrival - sample.timestamp)
      } else if sample.rtpTimestamp != nil {
        missing += 1
      }
    }
    times = histogram.distribution
    self.missing = missing
  }

  /// For people.
  var text: String {
    var text = "\(times.count) frames received whole"
    if missing > 0 { text += ", \(missing) not" }
    if droppedPackets > 0 { text += "; the receiver's socket had no room for \(droppedPackets) packets" }
    return text
  }

  var json: JSON {
    .object([
      ("frames", .integer(times.count)), ("missing", .integer(missing)), ("kernel_dropped", .integer(droppedPackets)),
    ])
  }
}
