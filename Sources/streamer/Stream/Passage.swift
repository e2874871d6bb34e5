import RTPCore
import V4L2Capture

/// The frame in flight, of which there is one at a time.
enum Passage: ~Copyable {
  /// There is none.
  case idle
  /// The camera is still filling it: packets that are complete are sent already.
  case arriving(Arriving)
  /// All of it is there, and was planned. Its buffer goes back to the camera when this ends.
  case sending(Sending)

  struct Arriving {
    /// Start of the buffer.
    let start: UnsafeRawPointer
    var picture: ArrivingPicture
    /// When its first data was seen, in nanoseconds of CLOCK_MONOTONIC.
    let firstSeen: Int64?
  }

  struct Sending: ~Copyable {
    let frame: Frame
    /// Lies in the frame, or in memory that holds until the next frame is read.
    let picture: JPEGPicture
  }

  var isIdle: Bool {
    switch self {
    case .idle: true
    case .arriving: false
    case .sending: false
    }
  }

  var isSending: Bool {
    switch self {
    case .idle: false
    case .arriving: false
    case .sending: true
    }
  }

  /// nil: no frame is arriving.
  var arriving: Arriving? {
    switch self {
    case .idle: nil
    case .arriving(let arriving): arriving
    case .sending: nil
    }
  }

  /// Of the frame that is complete; nil: there is none.
  var picture: JPEGPicture? {
    switch self {
    case .idle: nil
    case .arriving: nil
    case .sending(let sending): sending.picture
    }
  }
}
