import V4L2Capture

/// A camera that is running: what its loop needs of it.
protocol FrameSource: ~Copyable {
  /// For epoll: readable when a frame may be due.
  var number: Int32 { get }
  var info: SourceInfo { get }
  /// The next frame, or nil where none is due yet. At most two frames are out at a time.
  mutating func next() throws -> Frame?
  /// Another program feeds it (a loopback device): without frames that one has stopped.
  var isFed: Bool { get }
  /// Sets the controls again that the camera forgot when it started to stream.
  /// - Returns: what there is to report.
  func restoreControls() -> [String]
  /// Frames wait in it until they are taken, the oldest first; others give the newest.
  var isQueue: Bool { get }
  /// Its frames are raw pictures, which are encoded before they are sent.
  var isRaw: Bool { get }
  /// The JPEG of a raw frame, which goes back to the camera as soon as it was read.
  /// - Parameter repairs: of one that is damaged or cut short, too.
  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame
  /// `look` may show something.
  var isWatched: Bool { get }
  /// What there is of the frame that is being filled; nil where that can't be told.
  func look() -> Arrived?
  /// It is not looked into any more.
  func stopWatching()
  /// How many of the frames that are missing before the last one came to be due while this program was at work on one; nil
  /// where a driver has them, and knows what became of them.
  var workedThrough: UInt64? { get }
  /// Which instant its timestamps are of, known with its first frame.
  var timestampSource: TimestampSource? { get }
  /// Its driver's timestamps stand still, repeat or go back: frames are timed by their arrival.
  var hasFaultyTimestamps: Bool { get }
}

extension FrameSource where Self: ~Copyable {
  var isQueue: Bool { false }
  var isFed: Bool { false }
  func restoreControls() -> [String] { [] }
  var isRaw: Bool { false }
  mutating func encode(_ frame: consuming Frame, repairs: Bool) throws(DropCause) -> Frame { frame }
  var workedThrough: UInt64? { nil }
  var timestampSource: TimestampSource? { nil }
  var hasFaultyTimestamps: Bool { false }
  var isWatched: Bool { false }
  func look() -> Arrived? { nil }
  func stopWatching() {}
}

/// What a camera was found to give.
struct SourceInfo: Sendable {
  /// Pixels.
  let size: FrameSize
  /// nil where the driver does not say.
  let rate: FrameRate?
  /// The most bytes that a frame can have.
  let largestFrame: Int
  /// For people.
  let description: String
}
