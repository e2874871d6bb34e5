import Glibc
import LinuxIO
import Synchronization
import Testing

@testable import V4L2Capture

@Suite struct ArrivalTests {
  private let sentinel = Sentinel(word: 0x1122_3344_5566_7788)

  /// A buffer, and what a camera writes into it: no byte is that of the sentinel in its place.
  private func prepare(_ size: Int) -> (memory: UnsafeMutableRawBufferPointer, data: [UInt8]) {
    let data = (0..<size).map { _ in UInt8.random(in: 0x89...0xFF) }
    return (UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64), data)
  }

  private func write(_ data: [UInt8], _ range: Range<Int>, _ memory: UnsafeMutableRawBufferPointer) {
    UnsafeMutableRawBufferPointer(rebasing: memory[range]).copyBytes(from: data[range])
  }

  /// What arrives of so many bytes in a buffer: its whole words, and a last one that is begun, less one word.
  private func arrived(_ written: Int, of size: Int) -> Int { max(0, min((written + 7) / 8, size / 8) - 1) * 8 }

  @Test func theWordIsLikeNoData() {
    for _ in 0..<1000 {
      let bytes = withUnsafeBytes(of: Sentinel().word) { Set($0) }
      #expect(bytes.count == 8 && !bytes.contains(0) && !bytes.contains(0xFF))
    }
    #expect(Sentinel().word != Sentinel().word)
  }

  /// However many bytes have come: all whole words but the last. Without that "but" it would be too many.
  @Test(arguments: 0..<9) func itEndsAnywhere(start: Int) {
    let (memory, data) = prepare(300)
    defer { memory.deallocate() }
    let size = 211
    for written in 0...size {
      let part = UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + size])
      var arrival = Arrival(wiping: part, with: sentinel)
      write(data, 0..<written, part)
      let unconfirmed = arrival.visit().count
      let confirmed = Array(arrival.visit())
      #expect(unconfirmed == 0 && confirmed.count == arrived(written, of: size))
      #expect(confirmed == Array(data[..<confirmed.count]) && confirmed.count <= written)
      if written % 8 != 0, written < size / 8 * 8 { #expect(confirmed.count + 8 > written) }
    }
  }

  /// A visit goes on from where the last one ended, whatever came between.
  @Test func itGrows() {
    for _ in 0..<200 {
      let (memory, data) = prepare(.random(in: 0...3000))
      defer { memory.deallocate() }
      var arrival = Arrival(wiping: memory, with: sentinel)
      var (written, before) = (0, 0)
      while written < data.count {
        let next = min(written + .random(in: 1...400), data.count)
        write(data, written..<next, memory)
        written = next
        let confirmed = Array(arrival.visit())
        // What was there on the visit before.
        #expect(confirmed.count == arrived(before, of: data.count))
        #expect(confirmed == Array(data[..<confirmed.count]))
        before = written
      }
      let rest = arrival.visit().count
      #expect(rest == arrived(data.count, of: data.count))
    }
  }

  /// A payload that lands before an earlier one does not count.
  @Test func aGapIsWaitedFor() {
    let (memory, data) = prepare(4000)
    defer { memory.deallocate() }
    var arrival = Arrival(wiping: memory, with: sentinel)
    write(data, 0..<1003, memory)
    write(data, 2001..<4000, memory)
    for _ in 0..<3 { _ = arrival.visit() }
    #expect(arrival.confirmed == 1000 && arrival.seen == 1000)
    write(data, 1003..<2001, memory)
    let confirmed = [arrival.visit().count, arrival.visit().count]
    #expect(confirmed == [1000, 3992])
  }

  /// The half of a word at which two payloads meet is still on its way, and all behind it is there: the first visit sees
  /// too much, and its sight counts for nothing.
  @Test func whatIsSeenOnceDoesNotCount() {
    let (memory, data) = prepare(4000)
    defer { memory.deallocate() }
    var arrival = Arrival(wiping: memory, with: sentinel)
    write(data, 0..<1003, memory)
    write(data, 1007..<4000, memory)
    let first = arrival.visit().count
    #expect(first == 0 && arrival.confirmed == 0 && arrival.seen == 3992)
    #expect(!memory[..<arrival.seen].elementsEqual(data[..<arrival.seen]))
    write(data, 1003..<1007, memory)
    let second = arrival.visit()
    #expect(second.count == 3992 && second.elementsEqual(data[..<3992]))
  }

  /// Data that has the sentinel in it is waited for without end; data that has a half of it everywhere is not.
  @Test func aSentinelInTheDataOnlyDelays() {
    let (memory, data) = prepare(4096)
    defer { memory.deallocate() }
    for word in [0, 1, 7, 8, 100, 511] {
      var arrival = Arrival(wiping: memory, with: sentinel)
      write(data, 0..<4096, memory)
      memory.storeBytes(of: sentinel.word, toByteOffset: word * 8, as: UInt64.self)
      for _ in 0..<3 { _ = arrival.visit() }
      #expect(arrival.confirmed == max(0, word - 1) * 8)
    }
    for half in [UInt64(0xFFFF_FFFF), 0xFFFF_FFFF << 32] {
      var arrival = Arrival(wiping: memory, with: sentinel)
      for word in 0..<512 { memory.storeBytes(of: sentinel.word ^ half, toByteOffset: word * 8, as: UInt64.self) }
      for _ in 0..<3 { _ = arrival.visit() }
      #expect(arrival.confirmed == 4088)
    }
  }

  /// Nothing is known of what was not wiped, and it is left alone.
  @Test func whatWasNotWipedNeverArrives() {
    let (memory, data) = prepare(4000)
    defer { memory.deallocate() }
    for size in [0, 7, 8, 15, 16, 999, 1000] {
      write(data, 0..<4000, memory)
      var arrival = Arrival(wiping: UnsafeMutableRawBufferPointer(rebasing: memory[..<size]), with: sentinel)
      #expect(memory[size...].elementsEqual(data[size...]))
      _ = arrival.visit()
      #expect(arrival.seen == 0)
      write(data, 0..<4000, memory)
      for _ in 0..<3 { _ = arrival.visit() }
      #expect(arrival.confirmed == arrived(size, of: size))
    }
    var nothing = Arrival(wiping: UnsafeMutableRawBufferPointer(start: nil, count: 0), with: sentinel)
    let none = nothing.visit().count
    #expect(none == 0)
  }

  /// What a camera's thread and its reader share.
  private final class Camera: Sendable {
    static let largest = 165_000
    /// Random bytes, of which each frame is a part.
    nonisolated(unsafe) let data: UnsafeMutableRawBufferPointer
    nonisolated(unsafe) let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: largest, alignment: 4096)
    /// The frame that is to be written: where it begins in the data, and its size. Set before the number is.
    let place = Atomic(0)
    let size = Atomic(0)
    let number = Atomic(0)
    /// Copies that are done, of all frames; and frames.
    let copies = Atomic(0)
    let frames = Atomic(0)
    let visits = Atomic(0)

    init() {
      data = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * Self.largest, alignment: 64)
      var random = SystemRandomNumberGenerator()
      for word in 0..<data.count / 8 { data.storeBytes(of: random.next(), toByteOffset: word * 8, as: UInt64.self) }
    }

    deinit {
      data.deallocate()
      buffer.deallocate()
    }

    /// Has a frame written; one of no size ends it.
    func begin(_ frame: Int, place: Int, size: Int) {
      self.place.store(place, ordering: .relaxed)
      self.size.store(size, ordering: .relaxed)
      number.store(frame, ordering: .releasing)
    }

    func isDone(_ frame: Int) -> Bool { frames.load(ordering: .acquiring) == frame }

    /// Whether bytes of the buffer are the frame's.
    func isRight(_ range: Range<Int>) -> Bool {
      guard let data = data.baseAddress, let buffer = buffer.baseAddress else { return false }
      let start = data + place.load(ordering: .relaxed)
      return memcmp(buffer + range.lowerBound, start + range.lowerBound, range.count) == 0
    }

    /// The reader was here; it comes again when what is being copied now is there.
    func waitForACopy(of frame: Int) {
      let before = copies.load(ordering: .sequentiallyConsistent)
      visits.add(1, ordering: .sequentiallyConsistent)
      while copies.load(ordering: .sequentiallyConsistent) == before, !isDone(frame) { sched_yield() }
    }

    /// Writes frame after frame, piece by piece, now and then a piece before the one that it follows.
    func write() {
      for frame in 1... {
        while number.load(ordering: .acquiring) != frame { sched_yield() }
        let size = size.load(ordering: .relaxed)
        guard size > 0 else { return }
        var offset = 0
        while offset < size {
          let one = offset..<min(offset + .random(in: 512...65_536), size)
          let other = one.upperBound..<min(one.upperBound + .random(in: 512...65_536), size)
          for piece in Int.random(in: 0..<3) == 0 ? [other, one] : [one, other] { copy(piece) }
          offset = other.upperBound
        }
        frames.store(frame, ordering: .releasing)
      }
    }

    private func copy(_ piece: Range<Int>) {
      guard let data = data.baseAddress, let buffer = buffer.baseAddress else { return }
      let before = visits.load(ordering: .sequentiallyConsistent)
      memcpy(buffer + piece.lowerBound, data + place.load(ordering: .relaxed) + piece.lowerBound, piece.count)
      copies.add(1, ordering: .sequentiallyConsistent)
      // Half of the pieces are followed by the next at once, while the reader may be looking.
      guard Bool.random() else { return }
      while visits.load(ordering: .sequentiallyConsistent) == before { sched_yield() }
    }
  }

  /// A thread copies frames into the buffer while another looks. What is confirmed is the frame's, as long as no copy
  /// takes longer than from one visit to the next: a visit waits for the end of what was under way on the last one.
  @Test func nothingIsToldBeforeItIsThere() throws {
    let camera = Camera()
    let thread = try Thread(name: "writer") { camera.write() }
    let deadline = Clock.monotonic + 3_000_000_000
    var frame = 0
    var wrong = 0
    var wrongWithoutTheRule = 0
    while Clock.monotonic < deadline, frame < 5000 {
      frame += 1
      let size = Int.random(in: 1000...Camera.largest)
      let place = Int.random(in: 0...camera.data.count - size)
      // Sometimes the frame is larger than what was wiped.
      let wiped = min(Camera.largest, size + .random(in: -500...5000))
      var arrival = Arrival(wiping: UnsafeMutableRawBufferPointer(rebasing: camera.buffer[..<wiped]), with: sentinel)
      camera.begin(frame, place: place, size: size)
      var isDone = false
      while !isDone {
        isDone = camera.isDone(frame)
        let (before, seen) = (arrival.confirmed, arrival.seen)
        let confirmed = arrival.visit().count
        if !camera.isRight(before..<confirmed) { wrong += 1 }
        // What would be confirmed now without the less-one-word rule.
        if seen > 0, seen + 8 <= min(size, wiped), !camera.isRight(seen..<seen + 8) { wrongWithoutTheRule += 1 }
        camera.waitForACopy(of: frame)
      }
      let confirmed = arrival.visit().count
      // The last bytes can be those of the sentinel, by chance: their word then counts as one that is not begun.
      #expect((arrived(size, of: wiped) - 8...arrived(size, of: wiped)).contains(confirmed))
      if !camera.isRight(0..<confirmed) { wrong += 1 }
    }
    camera.begin(frame + 1, place: 0, size: 0)
    thread.join()
    #expect(wrong == 0 && wrongWithoutTheRule > 0)
  }
}
