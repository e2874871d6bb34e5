import Testing

@testable import V4L2Capture

/// A driver's queue, played by hand.
@Suite struct BufferQueueTests {
  /// Four buffers of 4096 bytes that were filled and given back once, so that all are wiped.
  private final class Driver {
    var queue = BufferQueue(capacity: 4)
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * 4096, alignment: 64)
    private var sequence: UInt32 = 0

    init() {
      for index in 0..<4 { queue.append(index, buffer(index)) }
      for index in 0..<4 { take(index) }
    }

    deinit { memory.deallocate() }

    func buffer(_ index: Int) -> UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer(rebasing: memory[4096 * index..<4096 * (index + 1)])
    }

    /// Writes the beginning of a frame.
    func fill(_ index: Int, _ count: Int) {
      for offset in 0..<count { buffer(index)[offset] = UInt8(truncatingIfNeeded: offset * 7 + index) }
    }

    /// Gives a frame of 2000 bytes, behind so many that are missing, and gets the buffer back.
    func take(_ index: Int, missing: UInt32 = 0) {
      sequence += missing
      take(index, number: sequence)
      sequence += 1
    }

    /// Gives a frame of that number.
    func take(_ index: Int, number: UInt32) {
      fill(index, 2000)
      queue.remove(index, sequence: number, byteCount: 2000)
      queue.append(index, buffer(index))
    }

    /// What two looks show, in bytes; nil: nothing can be told.
    func look() -> Int? {
      _ = queue.look()
      return queue.look()?.bytes.count
    }
  }

  @Test func whatHasArrivedIsSeenOnTheSecondLook() {
    let driver = Driver()
    let untouched = driver.queue.look()
    #expect(untouched?.hasBegun == false && untouched?.bytes.isEmpty == true)
    driver.fill(0, 800)
    let first = driver.queue.look()
    #expect(first?.hasBegun == true && first?.bytes.isEmpty == true)
    let second = driver.queue.look()
    #expect(second.map { (780...800).contains($0.bytes.count) } == true)
    #expect(second?.bytes.baseAddress == UnsafeRawPointer(driver.buffer(0).baseAddress))
    driver.take(0)
    #expect(driver.look() == 0)
  }

  /// Not before it was wiped for the first time.
  @Test func newBuffersAreUnknown() {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 64)
    defer { memory.deallocate() }
    var queue = BufferQueue(capacity: 2)
    for index in 0..<2 { queue.append(index, .init(rebasing: memory[4096 * index..<4096 * (index + 1)])) }
    let before = queue.look() == nil
    queue.remove(0, sequence: 0, byteCount: 1000)
    queue.append(0, .init(rebasing: memory[..<4096]))
    let between = queue.look() == nil
    queue.remove(1, sequence: 1, byteCount: 1000)
    let after = queue.look() != nil
    #expect(before && between && after)
  }

  /// A damaged frame's buffer goes to the end of the driver's queue, with what is in it.
  @Test func aBufferThatWasPassedOverIsUnknownUntilItWasWiped() {
    let driver = Driver()
    driver.fill(0, 1500)
    driver.take(1, missing: 1)
    // Frames are missing: any of them may have been used.
    for index in [2, 3] {
      #expect(driver.look() == nil)
      driver.take(index)
    }
    #expect(driver.look() == nil)
    driver.take(0)
    // The order is the driver's: 1, 2, 3, 0.
    driver.fill(1, 1000)
    #expect(driver.look().map { $0 > 900 } == true)
    for index in [1, 2, 3] { driver.take(index) }
    driver.fill(0, 1000)
    #expect(driver.look().map { $0 > 900 } == true)
  }

  /// Handed over behind the next one: it went nowhere, and the order stays the driver's.
  @Test func anOvertakenFrameChangesNoOrder() {
    let driver = Driver()
    driver.take(1, number: 5)
    driver.take(0, number: 4)
    for (number, index) in [2, 3, 1, 0].enumerated() { driver.take(index, number: 6 + UInt32(number)) }
    for (number, index) in [2, 3, 1, 0, 2].enumerated() {
      driver.fill(index, 1000)
      #expect(driver.look().map { $0 > 900 } == true, "buffer \(index)")
      driver.take(index, number: 10 + UInt32(number))
    }
  }

  /// A buffer that was given back before it was known that another one went to the end before it.
  @Test func aLateBufferIsTakenOutOfItsPlace() {
    let driver = Driver()
    driver.queue.remove(0, sequence: 4, byteCount: 2000)
    // The driver has 1 at its end by now, behind that 0.
    driver.queue.append(0, driver.buffer(0))
    driver.take(2, number: 6)
    for (number, index) in [3, 1, 0, 2].enumerated() { driver.take(index, number: 7 + UInt32(number)) }
    for (number, index) in [3, 1, 0, 2].enumerated() {
      driver.fill(index, 1000)
      #expect(driver.look().map { $0 > 900 } == true, "buffer \(index)")
      driver.take(index, number: 11 + UInt32(number))
    }
  }

  /// As many damaged frames as buffers: all are where they were, but none is what it was.
  @Test func aGapAloneMakesAllUnknown() {
    let driver = Driver()
    driver.take(0, missing: 4)
    for index in [1, 2, 3] {
      #expect(driver.look() == nil)
      driver.take(index)
    }
    #expect(driver.look() == 0)
  }
}
