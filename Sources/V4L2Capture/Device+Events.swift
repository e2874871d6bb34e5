import CLinux
import LinuxIO

extension Device {
  /// Has the driver report when its input's signal comes, goes or changes (VIDIOC_SUBSCRIBE_EVENT,
  /// V4L2_EVENT_SOURCE_CHANGE). From then on epoll reports `Epoll.Interest.readableOrPriority` of this device, and
  /// `nextEvent` returns what it was.
  /// - Returns: false where the driver has no such event: the signal must be asked for now and then.
  public func subscribeToSourceChanges() -> Bool {
    var subscription = v4l2_event_subscription()
    subscription.type = UInt32(V4L2_EVENT_SOURCE_CHANGE)
    // The event's id is the number of the input that it is of.
    subscription.id = currentInput()?.index ?? 0
    return descriptor.control(CLINUX_VIDIOC_SUBSCRIBE_EVENT, &subscription) == nil
  }

  /// An event of a driver.
  public enum Event: Equatable, Sendable {
    /// The input's signal came, went or changed: `detectSignal` tells which. The driver needs buffers of another size then,
    /// and gives no more frames into these.
    case sourceChanged
    case other
  }

  /// Dequeues the next event (VIDIOC_DQEVENT). Never waits.
  /// - Returns: nil where there is none, or none any more since the device was unplugged.
  public func nextEvent() -> Event? {
    var event = v4l2_event()
    guard descriptor.control(CLINUX_VIDIOC_DQEVENT, &event) == nil else { return nil }
    guard event.type == UInt32(V4L2_EVENT_SOURCE_CHANGE),
      event.u.src_change.changes & UInt32(V4L2_EVENT_SRC_CH_RESOLUTION) != 0
    else { return .other }
    return .sourceChanged
  }

  /// Dequeues all events that are there.
  /// - Returns: whether the input's signal came, went or changed.
  public func hasSourceChanged() -> Bool {
    var hasChanged = false
    // Bounded: a driver's queue is short, and one without end must not hang us.
    for _ in 0..<64 {
      guard let event = nextEvent() else { break }
      if event == .sourceChanged { hasChanged = true }
    }
    return hasChanged
  }
}
