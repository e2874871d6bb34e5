/// Every frame's times, in memory that is there from the start: nothing is allocated while frames come.
struct Timeline: ~Copyable {
  private let memory: UnsafeMutablePointer<Measurement.Sample>
  private let capacity: Int
  private var count = 0

  init(capacity: Int) {
    self.capacity = capacity
    memory = .allocate(capacity: capacity)
  }

  deinit { memory.deallocate() }

  /// - Returns: its place; nil where there is no room for it.
  mutating func append(_ sample: Measurement.Sample) -> Int? {
    guard count < capacity else { return nil }
    (memory + count).initialize(to: sample)
    defer { count += 1 }
    return count
  }

  subscript(_ place: Int) -> Measurement.Sample {
    get { memory[place] }
    nonmutating set { memory[place] = newValue }
  }

  /// A copy of all.
  var samples: [Measurement.Sample] { Array(UnsafeBufferPointer(start: memory, count: count)) }
}
