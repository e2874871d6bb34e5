import LinuxIO
import RTPCore

/// How frames become RTP packets, and how those reach their receivers.
struct SessionSettings: Sendable {
  var packetSize = PacketSize.upTo(1400)
  var pace = Pace.Setting.off
  /// Packets may be handed over many a call (UDP GSO).
  var segments = true
  var payloadType: UInt8 = 26
  var onvifExtension = false
  /// RTCP has no port of its own (RFC 5761).
  var isMuxed = false
  var route = Route()
  /// All cameras' sources have it.
  let canonicalName = CanonicalName()
}
