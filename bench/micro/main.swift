// Runs one benchmark: benchmarks NAME ITERATIONS; prints its nanoseconds. `bench/micro.py` does the rest.
import LinuxIO

let words = CommandLine.arguments
if words.count == 3, let benchmark = Benchmark.all.first(where: { $0.name == words[1] }), let count = Int(words[2]) {
  let start = Clock.monotonic
  let sum = try benchmark.run(count)
  print(Clock.monotonic - start, sum)
} else {
  // Each with what its result is divided by: the packets of a frame, or 1.
  for benchmark in Benchmark.all { print("\(benchmark.name)\t\(benchmark.units)\t\(benchmark.unit)") }
}
