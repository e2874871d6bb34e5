import LinuxIO

/// All that one camera's thread needs to know.
struct StreamSettings: Sendable {
  var camera: CameraName
  /// Its name in files.
  var name: String
  var source: SourceSettings
  var frames: FrameSettings
  var session: SessionSettings
  var thread: ThreadSettings
  var lifecycle: CameraLifecycle.Settings
  /// Nanoseconds without a frame after which a camera counts as stalled; nil: as its rate has it.
  var stallTimeout: Int64?
  var ssrc: UInt32
  /// One for each --to, in that order.
  var receivers: [NamedReceiver] = []
  /// nil: it streams until it is stopped.
  var measurement: Measurement?
  var log: Log

  /// The receivers' addresses that are tried first, of those that have one.
  var destinations: [SocketAddress] { receivers.compactMap(\.first) }
}
