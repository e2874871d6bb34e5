import Glibc
import LinuxIO
import ScriptedDriver

@testable import streamer

/// What the process has, while no camera's thread runs.
private struct Resources: CustomStringConvertible {
  let fileDescriptors: Int
  let threads: Int
  /// Bytes of the heap that are in use; of the sanitizer's runtime.
  let heap: Int
  let resident: Int

  init() {
    fileDescriptors = (try? File.names(in: "/proc/self/fd").count) ?? -1
    threads = (try? File.names(in: "/proc/self/task").count) ?? -1
    heap = allocatedBytes()
    let pages = (try? File.read("/proc/self/statm")).map { String(decoding: $0, as: UTF8.self).split(separator: " ") }
    resident = (pages?.dropFirst().first.flatMap { Int($0) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  var description: String {
    "\(fileDescriptors) file descriptors, \(threads) threads, \(heap / 1024) kB of heap, \(resident / 1024) kB resident"
  }

  /// What grew.
  func findings(since before: Resources) -> [String] {
    var findings: [String] = []
    if fileDescriptors > before.fileDescriptors { findings.append("file descriptors are left open") }
    if threads > before.threads { findings.append("threads are left") }
    if heap > before.heap + 256 << 10 { findings.append("the heap grew") }
    // The sanitizers keep freed memory for a while.
    if resident > before.resident + before.resident / 4 + 32 << 20 { findings.append("resident memory grew") }
    return findings
  }
}

@_silgen_name("__sanitizer_get_current_allocated_bytes")
private func allocatedBytes() -> Int

/// Streams of four cameras with one fault after the other, as in many hours of bad cameras, cables and networks.
private struct Soak {
  private let seed: UInt64
  private let seconds: Int64
  private let tree: CameraTree
  private var nodes = FreeNodes()
  private var rigs: [Rig] = []

  init(seed: UInt64, seconds: Int64) throws {
    (self.seed, self.seconds) = (seed, seconds)
    guard let tree = CameraTree() else { throw Failure("soak: no folder can be made in /tmp") }
    self.tree = tree
    var random = SeededRandom(seed: seed)
    for number in 0..<4 { rigs.append(try Rig(number, seed: random.next(), tree: tree, nodes: &nodes)) }
    let rigs = rigs
    (rigs[0].twin, rigs[1].twin) = (rigs[1], rigs[0])
    for rig in rigs { rig.onPlug = { rigs.forEach { $0.noteCamera() } } }
  }

  mutating func run() throws -> Bool {
    for rig in rigs { try rig.start() }
    let start = Clock.monotonic
    try run(until: start + seconds * 250_000_000)
    try rest()
    let settled = Resources()
    print("soak: a quarter is over: \(settled)")
    for rig in rigs { try rig.start() }
    try run(until: start + seconds * 1_000_000_000)
    try rest()
    let end = Resources()
    print("soak: the end: \(end)")
    return report(end.findings(since: settled))
  }

  private mutating func run(until end: Int64) throws {
    while true {
      let now = Clock.monotonic
      if now >= end || rigs.contains(where: { !$0.allFindings.isEmpty }) { return }
      for rig in rigs { try rig.tick(now, &nodes) }
      Clock.sleep(nanoseconds: 3_000_000)
    }
  }

  private mutating func rest() throws {
    for rig in rigs { try rig.rest(&nodes) }
  }

  private func report(_ growth: [String]) -> Bool {
    var counts: [String: Int] = [:]
    for rig in rigs { counts.merge(rig.allCounts, uniquingKeysWith: +) }
    for (name, count) in counts.sorted(by: { $0.key < $1.key }) where count > 0 { print("soak:   \(count) \(name)") }
    let slowest = rigs.map(\.slowestRecovery).max() ?? 0
    let recoveries = rigs.reduce(0) { $0 + $1.recoveries }
    print(
      "soak: \(recoveries) recoveries, the slowest in \((Double(slowest) / 1e9).decimal(1)) s;"
        + " \(rigs.reduce(0) { $0 + $1.frames }) frames arrived whole")
    var findings = rigs.flatMap(\.allFindings) + growth
    if recoveries < seconds / 4 { findings.append("only \(recoveries) recoveries") }
    for finding in findings.prefix(40) { print("soak: finding: \(finding)") }
    print("soak: \(findings.count) findings with seed \(seed)")
    return findings.isEmpty
  }
}

/// Arguments: seconds, and the seed, which is random without.
@_cdecl("soak_main")
public func soakMain(_ count: CInt, _ words: UnsafePointer<UnsafePointer<CChar>?>) -> CInt {
  let words = (1..<max(1, Int(count))).compactMap { words[$0].map { String(cString: $0) } }
  let seed = words.count > 1 ? UInt64(words[1]) : UInt64.random(in: 0...UInt64(UInt32.max))
  guard let seconds = words.first.flatMap({ Int64($0) }), let seed else {
    print("usage: soak SECONDS [SEED]")
    return 2
  }
  print("soak: \(seconds) s with seed \(seed)")
  do {
    var soak = try Soak(seed: seed, seconds: seconds)
    return try soak.run() ? 0 : 1
  } catch {
    print("soak: \(error)")
    return 1
  }
}
