import LinuxIO
import V4L2Capture

/// What a user pastes to watch a stream where it is received.
struct PlayerHint {
  /// Pixels.
  let size: FrameSize
  let payloadType: UInt8
  /// The file that has the SDP for the first receiver; nil where none is written.
  let sdpPath: String?

  /// The largest width and height that RTP/JPEG's own header can hold (RFC 2435, 3.1.5).
  static let largestSide: UInt32 = 2040

  private var isLarge: Bool { max(size.width, size.height) > Self.largestSide }

  /// What players show of a picture whose size is no multiple of 8, since RTP/JPEG counts in blocks of 8 pixels; nil where
  /// they show its own size.
  var shownSize: FrameSize? {
    let shown = FrameSize((size.width + 7) / 8 * 8, (size.height + 7) / 8 * 8)
    return isLarge || shown == size ? nil : shown
  }

  /// A command for the receiver's machine, or what is needed before one can be given.
  func text(for receiver: SocketAddress) -> String {
    if isLarge { return gstreamer(receiver) }
    if payloadType == 26 { return "ffplay rtp://\(listening(receiver))" }
    let command = "ffplay -protocol_whitelist file,udp,rtp -i"
    if let sdpPath { return "\(command) \(Self.quoted(sdpPath)) (copy this file there)" }
    return "\(command) camera.sdp (players need an SDP for payload type \(payloadType): --sdp camera.sdp writes it)"
  }

  /// FFmpeg does not show such sizes at all.
  private func gstreamer(_ receiver: SocketAddress) -> String {
    let address = receiver.isMulticast ? "address=\(receiver.host) " : receiver.family == .ipv6 ? "address=:: " : ""
    let caps =
      "application/x-rtp,media=video,encoding-name=JPEG,payload=\(payloadType),clock-rate=90000"
      + ",x-dimensions=(string)\"\(size.width),\(size.height)\""
    return "gst-launch-1.0 udpsrc \(address)port=\(receiver.port) caps='\(caps)'"
      + " ! rtpjpegdepay ! jpegdec ! autovideosink"
  }

  /// Where a player listens: at all addresses of its machine, or in a group.
  private func listening(_ receiver: SocketAddress) -> String {
    let address = receiver.isMulticast ? receiver : .any(receiver.family, port: receiver.port)
    return address.description
  }

  /// For a shell.
  private static func quoted(_ path: String) -> String {
    let isPlain = path.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
    if isPlain { return path }
    return "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
