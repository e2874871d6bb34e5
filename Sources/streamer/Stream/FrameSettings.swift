/// What is done with a camera's frames before they are sent.
struct FrameSettings: Sendable {
  /// Packets leave before their frame is complete.
  var early = EarlySending.Setting.auto
  /// Frames that are cut short or flagged are sent, too.
  var repairs = false
  /// Frames that RTP can't carry as they are are re-coded.
  var recodes = true
  /// Frames that are late are sent, too, and none is left for a newer one.
  var keepsAll = false
}
