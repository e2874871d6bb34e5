/// A device node, a file or a link that appeared or vanished.
public enum PathEvent: Equatable, Sendable {
  /// It is there now, or its owner or its mode changed.
  case appeared(String)
  case vanished(String)
  /// Events were lost, or there may be some that were never reported: look at all paths.
  case missed
}
