import Glibc
import Synchronization
import Testing

@testable import LinuxIO

@Suite struct LoopTests {
  @Test func anEventWakesALoop() throws {
    let epoll = try Epoll()
    let flag = try EventFD()
    try epoll.add(flag.number, .readable, token: 42)
    #expect(epoll.wait(milliseconds: 0) == 0)
    flag.raise()
    flag.raise()
    #expect(epoll.wait(milliseconds: 1000) == 1 && epoll.token(at: 0) == 42)
    flag.lower()
    #expect(epoll.wait(milliseconds: 0) == 0)
    flag.raise()
    epoll.remove(flag.number)
    #expect(epoll.wait(milliseconds: 0) == 0)
  }

  @Test func aTimerCountsWhatWasMissed() throws {
    let timer = try Timer()
    #expect(timer.expirations() == 0)
    let start = Clock.monotonic
    try timer.start(first: start - 25_000_000, every: 10_000_000)
    let epoll = try Epoll()
    try epoll.add(timer.number, .readable, token: 0)
    #expect(epoll.wait(milliseconds: 1000) == 1)
    #expect(timer.expirations() >= 3)
  }

  private final class Note: Sendable {
    let text = Mutex("")
  }

  @Test func aThreadHasItsNameAndEnds() throws {
    let note = Note()
    // A name is set from outside, right behind the start: the thread waits for it.
    let ready = Ready(try EventFD())
    let thread = try Thread(name: "camera-with-a-long-name") {
      let epoll = try? Epoll()
      try? epoll?.add(ready.flag.number, .readable, token: 0)
      _ = epoll?.wait(milliseconds: 1000)
      var name = [CChar](repeating: 0, count: 16)
      pthread_getname_np(pthread_self(), &name, 16)
      note.text.withLock {
        $0 = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      }
    }
    ready.flag.raise()
    thread.join()
    #expect(note.text.withLock { $0 } == "camera-with-a-l")
  }

  private final class Ready: Sendable {
    let flag: EventFD
    init(_ flag: consuming EventFD) { self.flag = flag }
  }

  @Test func aCPUThatIsNotThereIsRefused() throws {
    let note = Note()
    let thread = try Thread(name: "pin") {
      let there = Thread.pin(toCPU: 0)
      let absent = Thread.pin(toCPU: 1000)
      note.text.withLock { $0 = "\(String(describing: there)) \(absent == .invalidArgument)" }
    }
    thread.join()
    #expect(note.text.withLock { $0 } == "nil true")
  }

  @Test func errorsNameWhatWasTried() throws {
    do throws(SystemCallError) {
      _ = try FileDescriptor(opening: "/nowhere/at/all", flags: O_RDONLY)
      Issue.record("opened")
    } catch {
      #expect(error.description == "open on /nowhere/at/all: No such file or directory (ENOENT)")
      #expect(error.withRemedy("look elsewhere").description.hasSuffix("(ENOENT); look elsewhere"))
    }
  }

  @Test func filesAreWrittenWhole() throws {
    let folder = "/tmp/streamer-test-\(getpid())"
    try File.makeDirectory(folder)
    defer { _ = system("rm -r \(folder)") }
    try File.makeDirectory(folder)
    _ = try File.write("one", to: folder + "/b")
    _ = try File.write("two", to: folder + "/b")
    _ = try File.write("", to: folder + "/a")
    #expect(try File.names(in: folder) == ["a", "b"])
    #expect(try File.read(folder + "/b") == Array("two".utf8))
    #expect(throws: SystemCallError.self) { try File.read(folder + "/b", limit: 2) }
    #expect(throws: SystemCallError.self) { try File.read(folder) }
    #expect(File.kind(of: folder) == .directory && File.kind(of: "/dev/null") == .characterDevice)
    #expect(File.kind(of: folder + "/c") == nil)
  }
}
