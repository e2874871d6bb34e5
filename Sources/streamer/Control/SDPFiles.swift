import LinuxIO

/// The files that `--sdp` asks for: for each receiver one with all cameras as its media, and of several cameras one with
/// each alone. They never hold the stream up, nor end it.
struct SDPFiles {
  private let path: String
  private let log: Log
  private let session = SDPCommand.newSession
  private var version: UInt64 = 0
  private var written: [SDPStream?] = []
  /// What waits for the reader of a pipe, by its file.
  private var unread: [String: FileWriter] = [:]
  /// One could not be written.
  private(set) var hasFailed = false

  /// Finds out whether they can be written, before anything starts.
  init?(_ options: StreamOptions) throws {
    guard let path = options.sdpPath else { return nil }
    self.path = path
    log = options.log
    let cameras = options.cameras.count > 1 ? options.cameras.indices.map(StreamSettings.name) : []
    try OutputOption.sdp.attempt { () throws(SystemCallError) in
      if !isFile { try File.probe(path) }
      for index in isFile ? options.endpoints.indices : 0..<0 {
        for camera in [nil] + cameras { try File.probe(Self.name(path, camera: camera, receiver: index)) }
      }
    }
  }

  /// `camera.sdp` for all cameras, `camera-NAME.sdp` for one of several; for the second receiver `-2` follows, and so on.
  static func name(_ path: String, camera: String?, receiver index: Int) -> String {
    var path = path
    if let camera {
      let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
      // A dot in the first place hides a file, and begins no extension.
      let dot = path[start...].lastIndex(of: ".").flatMap { $0 > start ? $0 : nil } ?? path.endIndex
      path.insert(contentsOf: "-" + camera, at: dot)
    }
    return index == 0 ? path : "\(path)-\(index + 1)"
  }

  /// What is no file, such as a pipe or /dev/stdout, is written to under its one name.
  private var isFile: Bool {
    let kind = File.kind(of: path)
    return kind == nil || kind == .regular
  }

  /// Writes what changed since the last call.
  /// - Parameter streams: one of each camera; nil until its first frame is there.
  mutating func update(_ streams: [SDPStream?]) {
    guard streams != written, streams.contains(where: { $0 != nil }) else { return }
    let before = written
    // Not tried again with every frame where it fails.
    written = streams
    version += 1
    do {
      if streams.count > 1, isFile {
        for (index, stream) in streams.enumerated() where before.isEmpty || stream != before[index] {
          if let stream { try write([stream], camera: stream.settings.name) }
        }
      }
      let known = streams.compactMap { $0 }
      if known.count == streams.count { try write(known, camera: nil) }
    } catch { fail(error) }
  }

  private mutating func write(_ streams: [SDPStream], camera: String?) throws {
    let texts = try SDPCommand.texts(streams, session: session, version: version)
    guard isFile else { return try write(texts.compactMap(\.self).joined(), to: path, for: "all receivers") }
    for (index, text) in texts.enumerated() {
      guard let text, let destination = streams[0].destinations[index] else { continue }
      try write(text, to: Self.name(path, camera: camera, receiver: index), for: destination.description)
    }
  }

  private mutating func write(_ text: String, to file: String, for receiver: String) throws {
    let rest = try OutputOption.sdp.attempt { () throws(SystemCallError) in try File.write(text, to: file) }
    unread[file] = rest
    log.info("\(rest == nil ? "wrote" : "as soon as it is read, writes") \(file) for \(receiver)")
  }

  /// Milliseconds until `push` is to be called; -1: never.
  var pause: Int32 { unread.isEmpty ? -1 : 200 }

  /// Writes what its reader takes by now.
  mutating func push() {
    for (file, writer) in unread {
      do throws(SystemCallError) { if try writer.flush() { unread[file] = nil } } catch {
        unread[file] = nil
        fail(OutputOption.sdp.failure(error))
      }
    }
  }

  /// The stream is over.
  func end() { for writer in unread.values { log.warning("\(OutputOption.sdp.failure(writer.unread))") } }

  /// The stream goes on without.
  private mutating func fail(_ error: any Error) {
    hasFailed = true
    log.error("\(error)")
  }
}
