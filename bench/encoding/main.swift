import CTurboJPEG
import Glibc
import JPEGCodec

// What encoding a raw picture costs, beside TurboJPEG's own call on planes that it can take as they are; a format may take so
// much of the library's time where no colours are converted.
let limit = 1.05
var missed: [String] = []
print("µs of CPU a frame, quality 80, 4:2:0; copied: bytes that are written anew before they are encoded, of a frame's")
print("")
for (width, height) in [(1280, 720), (1920, 1080)] {
  let scene = Scene(width: width, height: height)
  print(row("\(width)x\(height)", ["ours", "library", "ratio", "copied"]))
  for kind in Kind.all {
    let (ours, library) = measure(kind, scene)
    let copied = "\(Int((100 * kind.copied).rounded())) %"
    if kind.isHeld, ours / library > limit { missed.append("\(kind.name) \(width)x\(height)") }
    print(row(kind.name, [figure(ours, 0), figure(library, 0), figure(ours / library, 3), copied]))
  }
  print("")
}

for name in missed { print("FAILED: \(name): over \(figure(limit, 3)) of the library's time") }
exit(missed.isEmpty ? 0 : 1)

/// Both in turn, so that what else runs here meets both alike: the median of each.
func measure(_ kind: Kind, _ scene: Scene) -> (ours: Double, library: Double) {
  let floor = Floor(scene)
  let own = Own(kind, scene)
  var times: (ours: [Double], library: [Double]) = ([], [])
  for round in 0..<60 {
    let start = cpuTime()
    floor.encode(kind)
    let middle = cpuTime()
    own.encode()
    guard round >= 5 else { continue }
    times.library.append(middle - start)
    times.ours.append(cpuTime() - middle)
  }
  return (median(times.ours), median(times.library))
}

func cpuTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func figure(_ value: Double, _ digits: Int) -> String {
  let scale = digits == 0 ? 1 : 1000
  let whole = Int((value * Double(scale)).rounded())
  guard digits > 0 else { return "\(whole)" }
  let part = "\(whole % scale)"
  return "\(whole / scale)." + String(repeating: "0", count: 3 - part.count) + part
}

func row(_ name: String, _ cells: [String]) -> String {
  func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
  return name + String(repeating: " ", count: max(0, 30 - name.count)) + cells.map { padded($0, 10) }.joined()
}
