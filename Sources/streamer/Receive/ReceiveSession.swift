import JPEGCodec
import LinuxIO
import RTPCore
import Statistics

/// One run of the receiver: its socket, the frame under way, and what was counted.
struct ReceiveSession: ~Copyable {
  private let options: ReceiveOptions
  private var receiver: DatagramReceiver
  private var feedback: FeedbackLink
  /// From capture to the arrival of a frame's last packet, where both ends have one wall clock.
  private var latency = Histogram()
  /// Frames that came before they were captured: the clocks differ.
  private var ahead: UInt64 = 0
  private var depacketizer: Depacketizer
  private var reportedUnsized = false
  private var reportedFields = false
  private var reportedForeign = false
  private var reportedFaults = FrameFaults()
  private var reportedUnreadable = false
  private var reportedNothing = false
  private var decoder: JPEGDecoder
  private var undecodable: UInt64 = 0
  /// Whole frames that could not be written as files.
  private var unwritten: UInt64 = 0
  private var glass: GlassReader
  private var times: FileWriter?
  /// Something that was asked for could not be done.
  private var hasFailed = false
  /// CLOCK_MONOTONIC in nanoseconds.
  private let start = Clock.monotonic
  private var size: (width: Int, height: Int)?
  private var firstFrame: Int64 = 0
  private var lastFrame: Int64 = 0
  private var framesBefore: UInt64 = 0
  private var hasStopped = false

  init(
    _ options: ReceiveOptions, receiver: consuming DatagramReceiver, feedback: consuming FeedbackLink,
    decoder: consuming JPEGDecoder, glass: consuming GlassReader, times: FileWriter?
  ) {
    self.feedback = feedback
    self.options = options
    depacketizer = Depacketizer(
      dimensions: options.dimensions.map { (UInt16(clamping: $0.width), UInt16(clamping: $0.height)) })
    self.receiver = receiver
    self.decoder = decoder
    self.glass = glass
    self.times = times
    let places = self.receiver.localAddresses.map(\.description).joined(separator: " and ")
    let kilobytes = self.receiver.bufferBytes / 1024
    options.log.info("receiving at \(places), socket buffer \(kilobytes) KiB")
    if self.receiver.bufferBytes < 1 << 20 {
      options.log.warning(
        "the socket's buffer holds few frames; sudo sysctl net.core.rmem_max=8388608 allows a larger one")
    }
  }

  /// For epoll.
  var number: Int32 { receiver.number }

  /// The reports' descriptor, for epoll.
  var feedbackNumber: Int32 { feedback.number }

  /// When `report` is to be called, in nanoseconds of CLOCK_MONOTONIC.
  var reportDue: Int64 { depacketizer.isFollowing ? feedback.due ?? .max : .max }

  var isDone: Bool { hasStopped || options.frames.map { depacketizer.frames >= $0 } ?? false }

  mutating func stop() { hasStopped = true }

  /// Takes all that is there, as long as it is not done.
  mutating func receive() {
    let count = receiver.receive()
    let (arrival, realtime) = Clock.pair
    for index in 0..<count where !isDone {
      let datagram = receiver.datagram(at: index)
      let address = receiver.source(at: index)
      if RTCPHeader.begins(datagram) {
        if feedback.take(datagram, from: address, isMuxed: true, source: depacketizer.source) {
          depacketizer.endSource()
        }
        continue
      }
      let (before, restarts) = (depacketizer.source, depacketizer.restarts)
      let event = depacketizer.receive(datagram, from: TransportAddress(address), arrival: arrival)
      if depacketizer.source != before { feedback.localAddress = receiver.destination(at: index) }
      if depacketizer.restarts != restarts, let begun = depacketizer.begun { feedback.forgetReport(before: begun) }
      if case .frame(let jpeg, let width, let height, let timestamp) = event {
        size = (width, height)
        if firstFrame == 0 { firstFrame = arrival }
        lastFrame = arrival
        let age = measure(timestamp, arrival: arrival, realtime: realtime)
        let shown = options.readsGlass ? readGlass(jpeg, arrival: realtime) : nil
        if hasTimes {
          let cells = [arrival - firstFrame, age, shown].map { $0.map { (Double($0) / 1000).decimal(1) } ?? "" }
          write("\(depacketizer.frames),\(timestamp),\(cells.joined(separator: ","))")
        }
        keep(jpeg)
      }
    }
    reportUnsized()
    reportFields()
    reportUnreadable()
    reportFaults()
    reportForeign()
  }

  /// Takes the sender's reports.
  mutating func receiveFeedback() {
    if feedback.receive(source: depacketizer.source) { depacketizer.endSource() }
  }

  /// Reports to the sender, if that is due.
  mutating func report() {
    guard depacketizer.isFollowing else { return }
    feedback.report(depacketizer.statistics, of: depacketizer.source, over: receiver)
  }

  /// Ends what is reported to the sender, and counts what is still pending.
  mutating func end() {
    feedback.report(depacketizer.statistics, of: depacketizer.source, over: receiver, isLast: true)
    depacketizer.finish(at: Clock.monotonic)
    reportForeign()
  }

  /// The header of what `--times` writes.
  static let timesHeader = "frame,rtp_timestamp,received_us,latency_us,glass_us"

  private var hasTimes: Bool { times != nil }

  /// Has what was written so far reach its file.
  mutating func flush() {
    do throws(SystemCallError) { _ = try times?.flush() } catch { stopWriting(error) }
  }

  /// Has all of it reach its file, and ends it.
  mutating func finish(_ signals: inout Signals) {
    do throws(SystemCallError) { try times?.finish(&signals) } catch { stopWriting(error) }
    times = nil
  }

  private mutating func write(_ line: String) {
    do throws(SystemCallError) { try times?.line(line) } catch { stopWriting(error) }
  }

  /// The stream goes on without.
  private mutating func stopWriting(_ error: SystemCallError) {
    times = nil
    hasFailed = true
    options.log.error("\(OutputOption.times.failure(error)): no more times are written")
  }

  /// - Parameters:
  ///   - arrival: by CLOCK_MONOTONIC, in nanoseconds.
  ///   - realtime: the same by the wall clock.
  /// - Returns: nanoseconds since the capture; nil: it can't be told.
  private mutating func measure(_ timestamp: UInt32, arrival: Int64, realtime: Int64) -> Int64? {
    guard options.hasSharedClock || feedback.isLocal, let source = depacketizer.source?.ssrc,
      let captured = feedback.captureTime(of: timestamp, source: source, arrival: arrival)
    else { return nil }
    let age = realtime - captured
    if age >= 0 {
      latency.record(age)
    } else {
      if ahead == 0 {
        options.log.warning(
          "a frame was captured \(-age / 1000) µs from now, by the sender's clock: that and this one differ; synchronise them (PTP, NTP)"
        )
      }
      ahead += 1
    }
    return age
  }

  private mutating func readGlass(_ jpeg: UnsafeRawBufferPointer, arrival: Int64) -> Int64? {
    guard let latency = glass.latency(of: jpeg, arrival: arrival) else { return nil }
    if latency < 0, glass.ahead == 1 {
      options.log.warning(
        "a frame shows a time that is \(-latency / 1_000_000) ms to come: this clock and that of the display differ; synchronise them (NTP, PTP)"
      )
    }
    return latency
  }

  private mutating func reportUnsized() {
    guard depacketizer.unsized > 0, !reportedUnsized else { return }
    reportedUnsized = true
    options.log.warning(
      "the stream does not say its pictures' size, which is over 2040 pixels: --x-dimensions WxH does (it is in the SDP)"
    )
  }

  private mutating func reportFields() {
    guard depacketizer.fields > 0, !reportedFields else { return }
    reportedFields = true
    options.log.warning(
      "the sender's pictures are fields of interlaced video (RFC 2435, 4.1), each with every other line of a frame:"
        + " each is received as a frame of half the height, and counted as a field; the sender has to deinterlace")
  }

  private mutating func reportForeign() {
    guard let foreign = depacketizer.firstForeign, !reportedForeign else { return }
    reportedForeign = true
    options.log.warning(
      "packets of another source come to the same port, from \(foreign.address.text) with SSRC "
        + "\(foreign.ssrc.ssrcText): they are dropped, and counted as foreign from now on")
  }

  /// Once each: what of the stream cannot be read.
  private mutating func reportUnreadable() {
    guard !reportedUnreadable else { return }
    let faults = depacketizer.faults
    guard let reason = depacketizer.payloadFaults.ofStream?.text ?? Self.reason(unknownQ: faults.unknownQ) else {
      return
    }
    reportedUnreadable = true
    options.log.warning("a part of the stream can't be read: \(reason)")
  }

  private static func reason(unknownQ q: UInt8?) -> String? {
    q.map {
      "frames with Q \($0) have tables of their own, and none came so far. A sender may send them with some frames only"
        + " (RFC 2435, 3.1.8), or they were lost"
    }
  }

  /// Once each: how the sender breaks the rules for frames' timestamps and markers.
  private mutating func reportFaults() {
    let (faults, reported) = (depacketizer.faults, reportedFaults)
    guard faults != reported else { return }
    reportedFaults = faults
    func report(_ count: KeyPath<FrameFaults, UInt64>, _ text: String) {
      if reported[keyPath: count] == 0, faults[keyPath: count] > 0 { options.log.warning(text) }
    }
    report(
      \.repeated,
      "the sender's RTP timestamps stand still: a frame has that of the frame before (RFC 3550, 5.1: each has its own)."
        + " Frames are told apart by their markers, and no latency can be measured by such timestamps")
    report(
      \.backward,
      "the sender's RTP timestamps go back: a frame has an earlier one than the frame before (RFC 3550, 5.1)")
    report(
      \.changed,
      "the sender's RTP timestamp changes within a frame (RFC 2435, 3: all packets of a frame have the same):"
        + " the frame is incomplete, and the packets with another timestamp are malformed")
    report(
      \.continued,
      "a frame goes on after a packet with the marker bit, which only its last one has (RFC 2435, 3):"
        + " what was received as a frame is its beginning; the rest is malformed")
  }

  /// Warns once where nothing came for some seconds.
  mutating func reportNothing() {
    guard !reportedNothing, Clock.monotonic - start > 5_000_000_000, let hint else { return }
    reportedNothing = true
    options.log.warning(hint)
  }

  /// Ends it, with an error where no whole frame came.
  /// - Returns: the exit status.
  func status() -> Int32 {
    if let hint { options.log.error(hint) }
    return hint != nil || hasFailed ? 1 : 0
  }

  /// Why no whole frame came, and what to look at; nil: there were some.
  private var hint: String? {
    guard depacketizer.frames == 0 else { return nil }
    return depacketizer.statistics.packets > 0 ? hintOfFrames : hintOfPackets
  }

  /// Why packets came, but no whole frame.
  private var hintOfFrames: String {
    let faults = depacketizer.faults
    let packets = "\(depacketizer.statistics.packets) packets came to \(receiver.localAddress), but no whole frame: "
    if let fault = depacketizer.payloadFaults.ofStream {
      return packets + "\(depacketizer.unreadableOfStream) of them can't be read: \(fault.text)"
    }
    if depacketizer.unsized > 0 { return packets + "give the pictures' size, --x-dimensions WxH (it is in the SDP)" }
    if let reason = Self.reason(unknownQ: faults.unknownQ) { return packets + reason }
    if faults.changed > 0 {
      return packets
        + "\(faults.changed) have another RTP timestamp than their frame's first packet, which the sender must"
        + " not change within a frame"
    }
    if receiver.kernelDropped > 0 {
      return packets + "this kernel dropped \(receiver.kernelDropped) for a full socket;"
        + " sudo sysctl net.core.rmem_max=8388608 allows a larger one"
    }
    if lost > 0 {
      return packets + "\(lost) were lost on the network: does it carry this rate? A smaller picture, or the sender's"
        + " --pace on, makes bursts shorter"
    }
    if faults.unmarked > 0 {
      return packets
        + "the last packet of \(faults.unmarked) frames has no marker bit, which the sender must set (RFC 2435, 3)"
    }
    if depacketizer.malformedOfStream > 0 {
      return packets
        + "\(depacketizer.malformedOfStream) contradict the others of their frames: another type, Q or size, or a part"
        + " of the picture that was there already"
    }
    return packets + "does the sender send frames to their last packet, and did this run long enough for one?"
  }

  /// Why no packet of a stream came.
  private var hintOfPackets: String {
    let address = receiver.localAddress
    if let fault = depacketizer.payloadFaults.ofOthers {
      let count = depacketizer.malformed
      return fault.isOfAnotherKind
        ? "no RTP/JPEG packet came to \(address), but \(count) of another kind: \(fault.text)."
          + " Does the sender send another codec, or does another program send to this port?"
        : "no RTP/JPEG packet that can be read came to \(address), but \(count) others: \(fault.text)"
    }
    if feedback.malformed > 0 {
      return "no RTP/JPEG packet came to \(address), but \(feedback.malformed) malformed RTCP packets:"
        + " does another program send to this port?"
    }
    let firewall =
      "does a firewall drop UDP? ('sudo nft list ruleset' shows its rules,"
      + " 'sudo ufw allow \(address.port)/udp' opens the port)"
    if feedback.senderReports > 0 {
      return "no packet came to \(address), but the sender's reports did: does it send to this port? \(firewall)"
    }
    return "no packet came to \(address): is the sender running, and does it send to this machine and port (--to)?"
      + " \(firewall)"
  }

  private mutating func keep(_ jpeg: UnsafeRawBufferPointer) {
    if options.decodes {
      do throws(CodecError) { _ = try decoder.decode(jpeg) } catch {
        if undecodable == 0 { options.log.warning("a frame can't be decoded: \(error)") }
        undecodable += 1
      }
    }
    if let directory = options.directory {
      let number = "\(depacketizer.frames)"
      let zeros = String(repeating: "0", count: max(0, 8 - number.count))
      do throws(SystemCallError) {
        if let rest = try File.write(jpeg, to: "\(directory)/frame-\(zeros)\(number).jpg") { throw rest.unread }
      } catch {
        if unwritten == 0 {
          options.log.error(
            "\(OutputOption.out.failure(error)): this frame is not written. It is tried again with the next")
        }
        unwritten += 1
        hasFailed = true
      }
    }
  }

  /// Frames a second between the first and the last one.
  private var framesPerSecond: Double {
    guard depacketizer.frames > 1, lastFrame > firstFrame else { return 0 }
    return Double(depacketizer.frames - 1) / (Double(lastFrame - firstFrame) / 1e9)
  }

  /// What the network lost: what is missing, without what the kernel dropped for want of buffer.
  private var lost: UInt64 {
    let missing = depacketizer.statistics.lost
    return missing > receiver.kernelDropped ? missing - receiver.kernelDropped : 0
  }

  mutating func printSecond() {
    let frames = depacketizer.frames - framesBefore
    framesBefore = depacketizer.frames
    StandardStream.output.line("\(frames) frames in this second; \(text)")
  }

  /// On standard error, where no result is.
  func printSoFar() { StandardStream.error.line(text) }

  private var text: String {
    let statistics = depacketizer.statistics
    var text = "\(depacketizer.frames) frames"
    if let (width, height) = size { text += " of \(width)x\(height)" }
    if depacketizer.fields > 0 { text += " (\(depacketizer.fields) of them fields)" }
    text += ", \(depacketizer.incomplete) incomplete, "
    if options.decodes { text += "\(undecodable) undecodable, " }
    if unwritten > 0 { text += "\(unwritten) not written, " }
    text += "\(statistics.packets) packets, \(lost) lost, \(receiver.kernelDropped) dropped by this kernel"
    if statistics.reordered > 0 { text += ", \(statistics.reordered) reordered" }
    if statistics.duplicates > 0 { text += ", \(statistics.duplicates) duplicates" }
    if malformed > 0 { text += ", \(malformed) malformed" }
    if depacketizer.foreign > 0 { text += ", \(depacketizer.foreign) of another source" }
    let faults = depacketizer.faults
    if faults.repeated > 0 { text += ", \(faults.repeated) frames with the timestamp of the one before" }
    if faults.backward > 0 { text += ", \(faults.backward) with an earlier one" }
    if faults.changed > 0 { text += ", \(faults.changed) packets with another timestamp than their frame" }
    if faults.continued > 0 { text += ", \(faults.continued) frames continued after their marker" }
    if latency.count > 0 {
      let tenths = latency.distribution.percentile(0.5) / 100_000
      text += ", \(tenths / 10).\(tenths % 10) ms from capture to here (median)"
    }
    if ahead > 0 { text += ", \(ahead) captured in a time to come (the clocks differ)" }
    if options.readsGlass { text += ", " + glass.text }
    return text
  }

  private var malformed: UInt64 { depacketizer.malformed + feedback.malformed }

  /// Prints the result.
  func printResult(_ signals: inout Signals) throws {
    let tenths = Int((framesPerSecond * 10).rounded())
    guard options.asJSON else {
      try Program.print("\(text), \(tenths / 10).\(tenths % 10) frames a second\n", &signals)
      return
    }
    let (statistics, faults) = (depacketizer.statistics, depacketizer.faults)
    var members: [(String, JSON)] = [
      ("packets", .integer(statistics.packets)), ("bytes", .integer(statistics.bytes)), ("lost", .integer(lost)),
      ("kernel_dropped", .integer(receiver.kernelDropped)), ("reordered", .integer(statistics.reordered)),
      ("duplicates", .integer(statistics.duplicates)), ("malformed", .integer(malformed)),
      ("foreign", .integer(depacketizer.foreign)), ("foreign_reports", .integer(feedback.foreign)),
      ("frames", .integer(depacketizer.frames)), ("incomplete", .integer(depacketizer.incomplete)),
      ("fields", .integer(depacketizer.fields)), ("repeated_timestamps", .integer(faults.repeated)),
      ("backward_timestamps", .integer(faults.backward)), ("changed_timestamps", .integer(faults.changed)),
      ("continued", .integer(faults.continued)), ("unmarked", .integer(faults.unmarked)),
      ("sender_reports", .integer(feedback.senderReports)),
    ]
    if options.decodes { members.append(("undecodable", .integer(undecodable))) }
    if options.directory != nil { members.append(("unwritten", .integer(unwritten))) }
    members += [
      ("jitter_us", .number(statistics.jitterMicroseconds)),
      ("latency_us", latency.count > 0 ? latency.distribution.json : .null), ("latency_ahead", .integer(ahead)),
      ("fps", .number(framesPerSecond)),
      ("width", size.map { .integer(UInt64($0.width)) } ?? .null),
      ("height", size.map { .integer(UInt64($0.height)) } ?? .null),
    ]
    if options.readsGlass { members += glass.members }
    members.append(("hint", hint.map { .string($0) } ?? .null))
    try Program.print(JSON.object(members).description + "\n", &signals)
  }
}
