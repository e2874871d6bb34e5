import Glibc
import Testing

@testable import LinuxIO

/// Names that appear and vanish in a made folder.
@Suite struct FolderWatchTests {
  private let folder: String

  init() throws {
    var template = Array("/tmp/folder-watch-XXXXXX".utf8CString)
    folder = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  private func make(_ name: String) { close(open(folder + "/" + name, O_CREAT | O_WRONLY, 0o600)) }

  /// All events that are there: the kernel has them as soon as the call that causes them returns.
  private func events(_ watch: inout FolderWatch) -> [PathEvent] {
    var events: [PathEvent] = []
    while let event = watch.next() { events.append(event) }
    return events
  }

  @Test func aNodeAppearsAndVanishes() throws {
    var watch = try FolderWatch([folder])
    #expect(events(&watch).isEmpty && !Epoll.isReadable(watch.fileDescriptor))
    make("video0")
    #expect(Epoll.isReadable(watch.fileDescriptor))
    #expect(events(&watch) == [.appeared(folder + "/video0")])
    // udev, or a user, allows it to be opened.
    chmod(folder + "/video0", 0o660)
    #expect(events(&watch) == [.appeared(folder + "/video0")])
    // A link is put in the place of another.
    symlink("video0", folder + "/new")
    rename(folder + "/new", folder + "/link")
    #expect(
      events(&watch) == [.appeared(folder + "/new"), .vanished(folder + "/new"), .appeared(folder + "/link")])
    unlink(folder + "/video0")
    #expect(events(&watch).last == .vanished(folder + "/video0"))
  }

  @Test func foldersThatAppearLaterAreWatched() throws {
    let (v4l, links) = (folder + "/v4l", folder + "/v4l/by-id")
    var watch = try FolderWatch([folder, v4l, links])
    mkdir(v4l, 0o755)
    mkdir(links, 0o755)
    symlink("../../video0", links + "/early")
    // What is in them already was not reported.
    #expect(events(&watch).contains(.missed))
    symlink("../../video1", links + "/camera")
    #expect(events(&watch) == [.appeared(links + "/camera")])
    // udev removes folders that are empty.
    unlink(links + "/camera")
    unlink(links + "/early")
    rmdir(links)
    rmdir(v4l)
    _ = events(&watch)
    mkdir(v4l, 0o755)
    _ = events(&watch)
    mkdir(links, 0o755)
    _ = events(&watch)
    symlink("../../video2", links + "/again")
    #expect(events(&watch) == [.appeared(links + "/again")])
  }

  @Test func aFolderThatIsNotThereGivesNothing() throws {
    var watch = try FolderWatch([folder + "/none"])
    #expect(watch.next() == nil)
  }

  /// More than one reading takes, with names of all lengths.
  @Test func manyEventsAtOnce() throws {
    var watch = try FolderWatch([folder])
    let names = (1...1000).map { "video" + String(repeating: "x", count: $0 % 200) + "\($0)" }
    for name in names { make(name) }
    #expect(events(&watch) == names.map { .appeared(folder + "/" + $0) })
  }
}
