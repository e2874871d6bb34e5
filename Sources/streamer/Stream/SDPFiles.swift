import LinuxIO

/// The files that `--sdp` asks for. They never hold the stream up, nor end it.
struct SDPFiles {
  private let path: String
  private let receivers: Int
  private let log: Log
  /// What waits for the reader of a pipe.
  private var unread: [FileWriter] = []
  /// One could not be written.
  private(set) var hasFailed = false

  /// Finds out whether they can be written, before anything starts.
  init?(_ options: StreamOptions) throws {
    guard let path = options.sdpPath else { return nil }
    self.path = path
    receivers = options.endpoints.count
    log = options.log
    do throws(SystemCallError) { for index in 0..<receivers { try File.probe(name(index)) } } catch {
      throw Failure("--sdp: \(error.explained)")
    }
  }

  /// The file of receiver `index`.
  private func name(_ index: Int) -> String { index == 0 ? path : "\(path)-\(index + 1)" }

  /// Writes them, now that it is known what the cameras stream.
  mutating func write(_ streams: [SDPStream]) {
    do {
      for (index, text) in try SDPCommand.texts(streams).enumerated() {
        let rest = try File.write(text, to: name(index))
        if let rest { unread.append(rest) }
        let action = rest == nil ? "wrote" : "as soon as it is read, writes"
        log.info("\(action) \(name(index)) for \(streams[0].settings.destinations[index])")
      }
    } catch { fail(error) }
  }

  /// Milliseconds until `push` is to be called; -1: never.
  var pause: Int32 { unread.isEmpty ? -1 : 200 }

  /// Writes what its reader takes by now.
  mutating func push() {
    var left: [FileWriter] = []
    for writer in unread {
      do throws(SystemCallError) { if try !writer.flush() { left.append(writer) } } catch { fail(error) }
    }
    unread = left
  }

  /// The stream is over.
  func end() { for writer in unread { log.warning("--sdp: \(writer.unread)") } }

  /// The stream goes on without.
  private mutating func fail(_ error: any Error) {
    hasFailed = true
    log.error("--sdp: \(error)")
  }
}

extension SystemCallError {
  /// With what is to be done where a file can't be made.
  fileprivate var explained: SystemCallError {
    errno == .noEntry ? withRemedy("its folder is not there: 'mkdir' makes it") : self
  }
}
