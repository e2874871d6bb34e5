/// How a camera's thread runs.
struct ThreadSettings: Sendable {
  /// nil: any.
  var cpu: Int?
  /// Real-time priority; nil: it runs like others.
  var priority: Int?
  /// Seconds between two lines of statistics; nil: there are none.
  var statsSeconds: Double?
}
