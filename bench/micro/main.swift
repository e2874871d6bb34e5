// Runs one benchmark so often: benchmarks NAME COUNT. Prints its nanoseconds, and how many of what an iteration has.
// Without words it prints their names. `bench/micro.py` does the rest.
import LinuxIO

let words = CommandLine.arguments
if words.count == 3, let benchmark = Benchmark.all.first(where: { $0.name == words[1] }), let count = Int(words[2]) {
  let work = try benchmark.prepare()
  let start = Clock.monotonic
  let sum = try work.run(count)
  print(Clock.monotonic - start, work.units, work.unit, sum)
} else {
  for benchmark in Benchmark.all { print(benchmark.name) }
}
