/// What the program is asked to do.
enum Verb: String, CaseIterable, Sendable {
  case stream, list, bench, receive, sdp

  /// How it is called on the command line.
  var command: String { self == .stream ? "streamer" : "streamer \(rawValue)" }

  /// What stands behind the verb.
  var operands: String {
    switch self {
    case .stream, .sdp: "CAMERA... --to HOST:PORT"
    case .list: ""
    case .bench: "CAMERA"
    case .receive: "[HOST:]PORT"
    }
  }

  var summary: String {
    switch self {
    case .stream: "Stream cameras as RTP/JPEG (RFC 2435). The verb may be left out."
    case .list: "List the cameras of this machine: their stable names, formats, sizes and rates."
    case .bench: "Measure how late a camera's frames are, and where the time goes; with --to sending, too."
    case .receive: "Receive an RTP/JPEG stream; count losses, measure jitter, write pictures."
    case .sdp: "Print the SDP that players need, and exit."
    }
  }
}
