import CLinux
import CScriptedDriver
import Glibc
import LinuxIO
import ScriptedDriver
import V4L2Capture

@testable import streamer

/// The numbers of device nodes that no camera has now.
struct FreeNodes {
  private var numbers = Array(0..<8)

  mutating func take(_ random: inout SeededRandom) -> Int {
    numbers.remove(at: Int.random(in: numbers.indices, using: &random))
  }

  mutating func give(_ number: Int) { numbers.append(number) }
}

/// One camera with its driver, the loop that streams it, and its receivers; and the plan of its faults.
final class Rig {
  private enum Phase {
    /// Nothing is wrong; at this time something will be.
    case calm(until: Int64)
    case faulty(until: Int64)
    /// Nothing is wrong since this time; no frame has come yet.
    case recovering(since: Int64)
  }

  let number: Int
  private let tree: CameraTree
  private let driver = ScriptedDriver([.init("MJPG", [(320, 240)])])
  private let faults: CameraFaults
  private let pictures: Pictures
  private let settings: StreamSettings
  private var random: SeededRandom
  private var given = GivenFrames()
  let receivers: [CheckedReceiver]
  /// The camera with the same serial number.
  weak var twin: Rig?
  private var lastAppearance: Int64 = 0
  /// Called when its node appeared.
  var onPlug: (() -> Void)?
  private var thread: Thread?
  private var mailbox: Mailbox
  private var board: Board
  private var phase = Phase.recovering(since: Clock.monotonic)
  /// The number of its device node; nil: it is unplugged.
  private var node: Int?
  private var port: String
  private var nextFrame: Int64 = 0
  private var nextReceiverChange: Int64 = 0
  private var nextStop: Int64 = 0
  private(set) var counts: [String: Int] = [:]
  private(set) var recoveries = 0
  private(set) var slowestRecovery: Int64 = 0
  private(set) var findings: [String] = []

  /// Nanoseconds between two frames.
  private static let interval: Int64 = 20_000_000
  /// In which a stream must be back after a fault. A camera that was reset several times in a row is given 25 s in between.
  private static let longestRecovery: Int64 = 60_000_000_000

  init(_ number: Int, seed: UInt64, tree: CameraTree, nodes: inout FreeNodes) throws {
    self.number = number
    self.tree = tree
    var random = SeededRandom(seed: seed)
    faults = CameraFaults(seed: random.next())
    guard let pictures = Pictures(camera: number) else { throw Failure("soak: the pictures cannot be made") }
    self.pictures = pictures
    let isMuxed = number % 2 == 0
    let ssrc = UInt32(truncatingIfNeeded: random.next())
    receivers = try (0..<3).map { _ in try CheckedReceiver(ssrc: ssrc, isMuxed: isMuxed) }
    var words = ["/dev/video0", "--to", "\(receivers[0].address)", "--log-level", "error"]
    words += ["--stall-timeout", "0.3", "--wait", "--ssrc", String(ssrc, radix: 16)]
    if isMuxed { words.append("--rtcp-mux") }
    if number == 1 { words += ["--pace", "on"] }
    let options = try StreamOptions(Arguments(words))
    var settings = try StreamSettings(options, camera: 0)
    // A re-coded picture has another scan.
    settings.frames.recodes = false
    self.settings = settings
    port = "1-\(number + 1)"
    (mailbox, board) = (try Mailbox(), try Board())
    self.random = random
    driver.bus = "usb-soak-\(number)"
    driver.inputs = [.init("HDMI", capabilities: V4L2_IN_CAP_DV_TIMINGS)]
    driver.signal = .timings(scripted_timings(320, 240, 400, 250, 6_000_000))
    driver.end()
    driver.onCall = { [faults, unowned driver] in faults.answer(driver, $0, $1, $2) }
    plug(&nodes)
  }

  private func count(_ name: String) { counts[name, default: 0] += 1 }

  // MARK: The device

  /// The first two cameras have the same serial number: they are told by their ports. The others may come back in another.
  private var serial: String { number < 2 ? "same" : "\(number)" }

  private func plug(_ nodes: inout FreeNodes) {
    guard node == nil else { return }
    if number >= 2 { port = "1-\(random.pick([3, 5, 7]) + number % 2)" }
    let node = nodes.take(&random)
    self.node = node
    for path in ["/dev/video\(node)", "/dev/v4l/by-id/camera-\(number)", "/dev/bus/usb/001/00\(node + 1)"] {
      driver.plug(at: tree.root + path)
    }
    if number == 3 { tree.link("/dev/v4l/by-id/camera-3", to: "../../video\(node)") }
    tree.plug("video\(node)", port: port, serial: serial, device: node + 1)
    onPlug?()
  }

  private func unplug(_ nodes: inout FreeNodes) {
    guard let node else { return }
    tree.unplug("video\(node)", port: port)
    if number == 3 { unlink(tree.root + "/dev/v4l/by-id/camera-3") }
    driver.end()
    nodes.give(node)
    self.node = nil
  }

  /// A node appeared, be it another camera's. Not all events of udev come.
  func noteCamera() {
    lastAppearance = Clock.monotonic
    if number < 2 || !random.isOne(in: 4) { mailbox.post(.camerasChanged) }
  }

  var isPlugged: Bool { node != nil }

  /// A stream that never saw both twins at once takes one for the other: nothing tells them apart then.
  private func mayVanish(_ now: Int64) -> Bool {
    twin.map { $0.isPlugged && now - lastAppearance > 1_000_000_000 } ?? true
  }

  // MARK: The loop

  /// Starts the camera's thread, which begins with the camera where it is now.
  func start() throws {
    guard let node else { return findings.append("the soak itself is wrong: it starts a camera that is unplugged") }
    let path = tree.root + (number == 3 ? "/dev/v4l/by-id/camera-3" : "/dev/video\(node)")
    var changed = settings
    changed.camera = .device(path)
    let settings = changed
    let (mailbox, board, paths) = (try Mailbox(), try Board(), SystemPaths(root: tree.root))
    (self.mailbox, self.board) = (mailbox, board)
    for receiver in receivers {
      receiver.isMember = receiver === receivers[0]
      receiver.restart()
    }
    mailbox.post(.add(receivers[0].address))
    thread = try Thread(name: "camera-\(number)") {
      var end = Board.End.stopped
      do {
        var loop = try CameraLoop(settings, mailbox: mailbox, board: board)
        loop.locator = CameraLocator(path, paths: paths)
        try loop.run()
      } catch { end = .failed("\(error)") }
      board.post { $0.end = end }
    }
    nextStop = Clock.monotonic + random.pause(milliseconds: 3000...20_000)
  }

  /// Ends the camera's thread, and compares what it counted with what came.
  func stop() {
    mailbox.post(.stop)
    thread.take()?.join()
    receive()
    let state = board.read()
    if case .stopped? = state.end {} else { findings.append("the stream ended by itself: \(state.end as Any)") }
    if driver.mappedCount != 0 { findings.append("\(driver.mappedCount) buffers are still mapped") }
    let statistics = state.statistics
    for (index, receiver) in receivers.enumerated() {
      let skipped = statistics.latePackets + (index == 0 ? 0 : statistics.unreachablePackets)
      if receiver.missing > skipped {
        findings.append("receiver \(index) misses \(receiver.missing) packets, \(skipped) were skipped")
      }
      // The last frame may be cut by the end of the stream.
      if receiver.unfinished > statistics.abandoned + 1 {
        findings.append(
          "receiver \(index) has \(receiver.unfinished) frames without an end, \(statistics.abandoned) were abandoned")
      }
    }
    count("stops")
    for cause in DropCause.allCases { counts["dropped: \(cause.name)", default: 0] += Int(statistics[cause]) }
    for case .camera(let event, _) in state.events.since(0) { count("news: \(event)") }
  }

  private func receive() {
    for receiver in receivers { receiver.receive(given, pictures) }
  }

  // MARK: The plan

  /// To be called every few milliseconds.
  func tick(_ now: Int64, _ nodes: inout FreeNodes) throws {
    receive()
    if now >= nextFrame { give(now) }
    if faults.takeReset(), mayVanish(now) {
      unplug(&nodes)
      phase = .faulty(until: now + random.pause(milliseconds: 50...300))
    }
    switch phase {
    case .calm(let end): if now >= end { begin(now, &nodes) }
    case .faulty(let end): if now >= end { endFault(now, &nodes) }
    case .recovering(let start): recover(since: start, now)
    }
    if now >= nextReceiverChange {
      nextReceiverChange = now + random.pause(milliseconds: 20...400)
      try changeReceivers()
    }
    if now >= nextStop, node != nil {
      stop()
      // A fault goes on; the next one waits until this stream has begun.
      if case .calm = phase { phase = .recovering(since: Clock.monotonic) }
      try start()
    }
  }

  private func give(_ now: Int64) {
    nextFrame = max(nextFrame + Self.interval, now)
    guard node != nil, !faults.isStalled, driver.locked({ driver.pictures.count }) < 12 else { return }
    // A driver can give several at once.
    for _ in 0..<(random.isOne(in: 40) ? 5 : 1) {
      let frame = pictures.frame(given.count, &random)
      given.append(isGood: frame.isGood)
      if let fault = frame.fault { count(fault) }
      driver.give([frame.picture]) {}
    }
  }

  private func begin(_ now: Int64, _ nodes: inout FreeNodes) {
    var milliseconds: ClosedRange<Int64> = 50...800
    switch Int.random(in: 0..<12, using: &random) {
    case 0...3:
      guard mayVanish(now) else { return }
      count("unplugged")
      unplug(&nodes)
    case 4:
      count("transfers fail")
      faults.fail([SCRIPTED_DQBUF: random.pick([EIO, EPROTO, ENODEV, EPIPE, EINVAL])])
    case 5:
      count("buffers refused")
      faults.fail([SCRIPTED_QBUF: random.pick([EIO, ENODEV, EINVAL])])
    case 6:
      count("opening fails")
      let request = random.pick([
        SCRIPTED_QUERYCAP, SCRIPTED_S_FMT, SCRIPTED_REQBUFS, SCRIPTED_QUERYBUF, SCRIPTED_STREAMON, SCRIPTED_STREAMOFF,
        SCRIPTED_S_PARM, SCRIPTED_ENUM_FMT, SCRIPTED_SUBSCRIBE_EVENT, SCRIPTED_QUERY_DV_TIMINGS, SCRIPTED_G_FMT,
      ])
      faults.fail([request: random.pick([EIO, EPROTO, EBUSY, ENOSPC, EINVAL, ENOMEM, ENOTTY]), SCRIPTED_DQBUF: EIO])
    case 7:
      count("other formats")
      let other = random.pick([("MJPG", 640, 480), ("H264", 320, 240), ("MJPG", 0, 0), ("MJPG", 160, 120)])
      faults.setOtherFormat(other.0, UInt32(other.1), UInt32(other.2))
      faults.fail([SCRIPTED_DQBUF: EIO])
    case 8:
      count("few buffers")
      setDriver { $0.mostBuffers = self.random.pick([0, 1, 2, 40]) }
      faults.fail([SCRIPTED_DQBUF: EPROTO])
    case 9:
      count("not to be opened")
      setDriver { $0.openError = self.random.pick([EACCES, EPERM, EBUSY, ENXIO, EIO]) }
      faults.fail([SCRIPTED_DQBUF: EIO])
    case 10:
      count("signal lost")
      setDriver { $0.signal = .none(self.random.pick([ENOLINK, ENOLCK, ERANGE])) }
      faults.stall(until: .reopen)
      milliseconds = 50...1500
    default:
      let cure = random.pick([.time, .time, .restart, .restart, .reopen, .reset] as [CameraFaults.Cure])
      count("stalls until \(cure)")
      faults.stall(until: cure)
      milliseconds = 300...2500
    }
    phase = .faulty(until: now + random.pause(milliseconds: milliseconds))
  }

  private func setDriver(_ change: (ScriptedDriver) -> Void) { driver.locked { change(driver) } }

  private func endFault(_ now: Int64, _ nodes: inout FreeNodes) {
    faults.end()
    setDriver { driver in
      (driver.openError, driver.mostBuffers) = (0, 4)
      driver.signal = .timings(scripted_timings(320, 240, 400, 250, 6_000_000))
    }
    plug(&nodes)
    phase = .recovering(since: now)
  }

  private func recover(since start: Int64, _ now: Int64) {
    let last = receivers[0].lastFrame
    if last > start {
      recoveries += 1
      slowestRecovery = max(slowestRecovery, last - start)
      // Once in a while the camera streams long enough to count as recovered.
      let pause = random.isOne(in: 8) ? 5500...6000 : 20...600 as ClosedRange<Int64>
      phase = .calm(until: now + random.pause(milliseconds: pause))
    } else if now - start > Self.longestRecovery {
      findings.append("no frame came for a minute after all was well: \(board.peek().events)")
      phase = .recovering(since: now)
    }
  }

  /// The first receiver is always there.
  private func changeReceivers() throws {
    let receiver = receivers[Int.random(in: 1...2, using: &random)]
    switch Int.random(in: 0..<7, using: &random) {
    case 0:
      mailbox.post(.reconnect(random.pick(receivers).address))
      count("reconnections")
    case 1: mailbox.post(.tell)
    case 2: mailbox.post(.queue(receiver.address, nil))
    case 3...4 where receiver === receivers[2]:
      if receiver.isOpen { receiver.close() } else { try receiver.open() }
      count("ports closed or opened")
    default:
      receiver.isMember.toggle()
      receiver.expectGap()
      mailbox.post(receiver.isMember ? .add(receiver.address) : .remove(receiver.address))
      count("receivers added or removed")
    }
  }

  /// Ends all faults, and the thread: nothing is left that was not there at the start.
  func rest(_ nodes: inout FreeNodes) throws {
    faults.endStall()
    endFault(Clock.monotonic, &nodes)
    stop()
    for receiver in receivers { try receiver.open() }
  }

  var allFindings: [String] {
    let received = receivers.enumerated().flatMap { index, receiver in
      receiver.findings.map { "receiver \(index): \($0)" }
    }
    return (findings + received).map { "camera \(number): \($0)" }
  }

  var allCounts: [String: Int] { counts.merging(faults.counts, uniquingKeysWith: +) }

  var frames: UInt64 { receivers.reduce(0) { $0 + $1.frames } }
}
