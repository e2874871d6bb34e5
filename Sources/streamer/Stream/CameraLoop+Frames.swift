import LinuxIO
import RTPCore
import Synchronization
import V4L2Capture

/// A frame's path from the camera to the sockets.
extension CameraLoop {
  /// Sends the frame that is due.
  mutating func takeFrame() throws {
    guard let frame = try nextFrame() else { return }
    if record.meter.isLimited { board.progress.store(record.meter.seen, ordering: .relaxed) }
    if record.meter.isDone { return }
    if lifecycle.state != .streaming { try checkCamera() }
    try complete(frame)
    if session.arriving == nil { finishPreviousFrame() }
    record.meter.take(frame)
    if let measured = camera.rate.check(frame.timestamp, sequence: frame.sequence) {
      record.statistics.lowRate = measured
      postStatistics()
    }
    // Nobody watches: its buffer is queued again unread.
    guard session.receivers.count > 0 || record.meter.isLimited else { return session.endFrame(&record) }
    do throws(DropCause) { try send(frame) } catch {
      record.statistics[error] += 1
      session.endFrame(&record)
    }
    let packets = record.statistics.packets
    try session.sendAll(&record, events)
    if !camera.hasRestoredControls { restoreControls() }
    if record.statistics.packets > packets { try session.reportFirst(&record.statistics, events) }
    session.postPictureSize()
    if record.hasNews(reader.recoding) { postStatistics() }
  }

  /// - Returns: nil where none is due, or the camera failed.
  private mutating func nextFrame() throws -> Frame? {
    let error: any Error
    do {
      return try camera.nextFrame(
        &session, &record, keepsAll: settings.frames.keepsAll, heldUntil: events.sourceHeldUntil)
    } catch let caught { error = caught }
    try fail(error)
    return nil
  }

  /// Plans a frame's packets, or the rest of them, and has it in flight.
  private mutating func send(_ frame: consuming Frame) throws(DropCause) {
    let frame = try encode(frame)
    let picture = try plan(frame)
    if picture.isRepaired || frame.isDamaged { record.statistics.repaired += 1 }
    if picture.skipped > 0 { record.statistics.skip(picture.skipped) }
    if picture.isField { record.statistics.singleFields += 1 }
    if record.meter.isLimited { record.meter.stamp(session.timestamp) }
    if session.arriving != nil { countEarly() }
    session.hold(frame, picture)
  }

  /// The JPEG of a frame; a raw one goes back to the camera.
  private mutating func encode(_ frame: consuming Frame) throws(DropCause) -> Frame {
    guard camera.encodes else { return frame }
    let start = Clock.monotonic
    let frame = try camera.encode(frame, repairs: reader.repairs)
    let end = Clock.monotonic
    record.meter.encoded(from: start, to: end)
    return frame
  }

  private mutating func plan(_ frame: borrowing Frame) throws(DropCause) -> JPEGPicture {
    if frame.isDamaged && !reader.repairs { throw .damaged }
    let wasBegun = session.arriving != nil
    if let picture = planRest(frame) { return picture }
    let picture = try reader.read(frame.bytes, isExact: camera.encodes)
    try session.plan(picture, timestamp: camera.early.timestamp(ofWhole: frame.timestamp))
    if wasBegun { camera.early.noteBadBeginning() }
    return picture
  }

  /// Plans what is left of the frame of which a part was sent while it arrived.
  /// - Returns: nil where there is none, or where what was sent turns out to be no part of its picture.
  private mutating func planRest(_ frame: borrowing Frame) -> JPEGPicture? {
    guard let arriving = session.arriving else { return nil }
    do throws(DropCause) {
      let picture = try reader.finish(arriving.picture, in: frame.bytes)
      try session.planRest(picture)
      return picture
    } catch {
      session.endFrame(&record)
      return nil
    }
  }

  /// A frame began to leave before it was complete, and is good.
  private mutating func countEarly() {
    record.statistics.early += 1
    if record.statistics.early == 1 { board.post { $0.isEarly = true } }
  }

  /// Once, after the first frame was sent: the camera is asked for each control, which can take it a while.
  private mutating func restoreControls() {
    camera.hasRestoredControls = true
    let notes = camera.source.restoreControls()
    if !notes.isEmpty { board.post { $0.controlNotes += notes } }
  }

  private mutating func finishPreviousFrame() {
    if !session.hasBegun {
      let timestamps = camera.source.timestampSource
      board.post { $0.timestampSource = timestamps }
    }
    session.finishPreviousFrame(&record)
  }
}

/// Early packets.
extension CameraLoop {
  /// Sends what has arrived of the frame that the driver is filling.
  mutating func poll() throws {
    let now = Clock.monotonic
    let arrived = camera.source.look()
    if let next = camera.early.polled(arrived, at: now) { try events.waitToPoll(at: next) }
    // One frame at a time: the previous one may still be in flight.
    guard camera.early.maySend, let arrived, !session.isSending, session.receivers.count > 0 else { return }
    if session.arriving == nil { begin(arrived, at: now) }
    do throws(DropCause) {
      guard try session.extend(arrived.bytes) else { return }
    } catch {
      // Its cause is counted when the frame is complete.
      camera.early.refuse()
      session.endFrame(&record)
    }
    try session.sendAll(&record, events)
  }

  /// Begins with a frame that the camera is filling, if its header can be sent.
  private mutating func begin(_ arrived: Arrived, at now: Int64) {
    let picture: ArrivingPicture?
    do throws(JPEGFault) { picture = try reader.begin(arrived.bytes) } catch { return camera.early.refuse() }
    guard let picture, let start = arrived.bytes.baseAddress else { return }
    finishPreviousFrame()
    session.begin(
      .init(start: start, picture: picture, firstSeen: camera.early.firstSeen),
      timestamp: camera.early.timestamp(at: now))
  }

  /// A frame is complete: is it the one of which a part was sent, and when is the next one polled?
  private mutating func complete(_ frame: borrowing Frame) throws {
    if let start = session.arriving?.start, start != frame.bytes.baseAddress || !camera.gaps.isNext {
      session.endFrame(&record)
    }
    guard !camera.early.hasGivenUp else { return }
    let next = camera.early.completed(
      frame, isNext: camera.gaps.isNext, isStamped: camera.source.timestampSource == .startOfExposure)
    if let next { return try events.waitToPoll(at: next) }
    camera.source.stopWatching()
    let refusal = camera.early.refusal
    board.post { $0.earlyRefusal = refusal }
  }
}
