import LinuxIO
import V4L2Capture

/// Why a camera cannot be used now, as far as it matters for what is done next.
enum CameraFailure: Equatable, Sendable, CaseIterable {
  /// It is not there: unplugged, or not plugged in yet.
  case gone
  /// Its input has no signal that it can capture.
  case noSignal
  /// This program may not open it; udev may set that a moment after a node appeared.
  case denied
  /// Another program, or the USB bus, has no room for it.
  case busy
  /// It, its cable or its driver fails.
  case failing
  /// It gives no pictures that can be sent, such as a loopback device that no program feeds.
  case unsuitable
  /// It is not what the options ask for.
  case misconfigured

  /// What an error of opening a camera, or of taking frames from it, means.
  init(_ error: any Error) {
    switch error {
    case let error as CaptureError: self = error.isAbsent ? .gone : error.cause.map { Self($0.errno) } ?? .unsuitable
    case let error as SystemCallError: self.init(error.errno)
    case is NoSignal: self = .noSignal
    case is UsageError, is NotOffered: self = .misconfigured
    case is Failure: self = .unsuitable
    default: self = .failing
    }
  }

  /// What the errno of a call on a camera's device means.
  init(_ errno: Errno) {
    switch errno {
    case .noDevice, .noSuchDevice, .noEntry: self = .gone
    case .noLink, .noLock, .outOfRange: self = .noSignal
    case .accessDenied, .notPermitted: self = .denied
    case .busy, .noSpace: self = .busy
    case .notTTY: self = .unsuitable
    default: self = .failing
    }
  }

  /// For people: what is waited for.
  var text: String {
    switch self {
    case .gone: "it is not there: waiting for it"
    case .noSignal: "no signal, waiting"
    case .denied: "it may not be opened: trying again"
    case .busy: "it is in use, or its USB bus is: trying again"
    case .failing: "it fails: trying again"
    case .unsuitable: "it gives no pictures: trying again"
    case .misconfigured: "it is not what was asked for: trying again"
    }
  }
}
