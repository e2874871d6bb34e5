/// What happened to a camera's frames so far. Plain numbers: counting allocates nothing.
struct StreamStatistics: Equatable, Sendable {
  /// Frames that the camera gave.
  var captured: UInt64 = 0
  /// Frames of which every packet was sent to at least one receiver: the kernel took them, and no answer came from there that
  /// packets are lost.
  private(set) var sent: UInt64 = 0
  /// Those of them that another receiver was not sent, or only in part.
  private(set) var sentToSome: UInt64 = 0
  /// Frames that every receiver was sent in part or not at all: the next frame came first, or the receivers refused them or
  /// could not be reached.
  private(set) var partial: UInt64 = 0
  /// Frames that began to leave before the camera had given all of them.
  var early: UInt64 = 0
  /// Frames that began so, and turned out to be bad: they ended without their last packet.
  var abandoned: UInt64 = 0
  /// Frames that were cut short, and sent as what there was of them.
  var repaired: UInt64 = 0
  /// Frames in which something came before the picture: a lost frame's beginning, or junk.
  private(set) var skipped: UInt64 = 0
  /// Bytes that did.
  private(set) var skippedBytes: UInt64 = 0
  /// Frames that are one field of an interlaced frame, sent as a picture of its own: no other field that fits came with it.
  var singleFields: UInt64 = 0
  /// Frames that were re-coded, since RTP can't carry them as they are.
  var recoding = FrameReader.Recoding()
  /// Frames given back unsent, since a newer one was there.
  var stale: UInt64 = 0
  /// Packets handed to the kernel, over all receivers.
  var packets: UInt64 = 0
  /// RTP packets' bytes of them.
  var bytes: UInt64 = 0
  /// Packets skipped because the socket was full when the next frame came, or the network device's queue was.
  var latePackets: UInt64 = 0
  /// Packets skipped because the receiver can't be reached.
  var unreachablePackets: UInt64 = 0
  /// Frames a second that the camera really gave in its first seconds, where they are well under those asked for.
  var lowRate: Double?
  private var drops = SIMD32<UInt64>()

  /// Frames dropped for a cause.
  subscript(_ cause: DropCause) -> UInt64 {
    get { drops[cause.rawValue] }
    set { drops[cause.rawValue] = newValue }
  }

  /// Whether there are causes that were not there before.
  /// - Parameter said: a bit for each cause; it is brought up to date.
  func newDrops(since said: inout UInt32) -> Bool {
    var now = said
    for cause in drops.indices where drops[cause] > 0 { now |= 1 << UInt32(cause) }
    defer { said = now }
    return now != said
  }

  /// Counts frames that are missing before one.
  /// - Parameter workedThrough: see `Source.workedThrough`.
  mutating func count(missing: UInt64, workedThrough: UInt64?) {
    guard missing > 0 else { return }
    guard let workedThrough else { return self[.driver] += missing }
    let tooSlow = min(missing, workedThrough)
    self[.tooSlow] += tooSlow
    self[.missedBeat] += missing - tooSlow
  }

  /// A frame's sending ended. Without receivers it is neither sent nor missed.
  /// - Parameters:
  ///   - receivers: how many it was for.
  ///   - complete: how many of them were sent all of it.
  mutating func count(receivers: Int, complete: Int) {
    guard receivers > 0 else { return }
    guard complete > 0 else { return partial += 1 }
    sent += 1
    if complete < receivers { sentToSome += 1 }
  }

  /// One of the receivers that were sent all of the last frame answers that it is lost.
  /// - Parameters: as it was counted.
  mutating func takeBack(receivers: Int, complete: Int) {
    // Measured frames are counted from 0.
    guard sent > 0 else { return }
    if complete > 1 {
      if complete == receivers { sentToSome += 1 }
    } else {
      sent -= 1
      partial += 1
      if receivers > 1, sentToSome > 0 { sentToSome -= 1 }
    }
  }

  /// A frame's picture came after so many bytes.
  mutating func skip(_ bytes: Int) {
    skipped += 1
    skippedBytes += UInt64(bytes)
  }

  var dropped: UInt64 { drops.wrappedSum() &+ stale }

  /// Such as `driver 3, no_eoi 1`; empty where nothing was dropped.
  var dropText: String {
    let causes = DropCause.allCases.filter { self[$0] > 0 }.map { "\($0.name) \(self[$0])" }
    return (causes + (stale > 0 ? ["stale \(stale)"] : [])).joined(separator: ", ")
  }

  /// One line for people.
  var text: String {
    var text = "\(captured) frames, \(sent) sent"
    if sentToSome > 0 { text += " (\(sentToSome) to some receivers only)" }
    text += ", \(dropped) dropped"
    if dropped > 0 { text += " (\(dropText))" }
    if early > 0 { text += ", \(early) early" }
    if abandoned > 0 { text += ", \(abandoned) abandoned" }
    if repaired > 0 { text += ", \(repaired) repaired" }
    if skipped > 0 { text += ", \(skipped) after \(skippedBytes) skipped bytes" }
    if singleFields > 0 { text += ", \(singleFields) single fields" }
    if recoding.lossless > 0 { text += ", \(recoding.lossless) re-coded" }
    if recoding.reencoded > 0 { text += ", \(recoding.reencoded) encoded again" }
    if partial > 0 { text += ", \(partial) sent in part or not at all" }
    text += ", \(packets) packets, \(bytes) bytes"
    if latePackets > 0 { text += ", \(latePackets) packets left out as late" }
    if unreachablePackets > 0 { text += ", \(unreachablePackets) packets left out as unreachable" }
    return text
  }
}
