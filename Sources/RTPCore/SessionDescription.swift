/// An SDP (RFC 8866) of RTP/JPEG streams to one receiver: what FFmpeg, VLC and others need to play them.
public struct SessionDescription: Sendable {
  /// One camera's stream.
  public struct Media: Sendable {
    public var port: UInt16
    /// RTCP comes to the same port (RFC 5761), else to the one behind it.
    public var isMuxed: Bool
    public var payloadType: UInt8
    /// Frames a second, where known.
    public var framesPerSecond: Double?
    /// Pixels, where known.
    public var size: (width: Int, height: Int)?

    public init(
      port: UInt16, isMuxed: Bool = false, payloadType: UInt8, framesPerSecond: Double? = nil,
      size: (width: Int, height: Int)? = nil
    ) {
      self.port = port
      self.isMuxed = isMuxed
      self.payloadType = payloadType
      self.framesPerSecond = framesPerSecond
      self.size = size
    }
  }

  /// An address in figures.
  public struct Address: Sendable {
    public var host: String
    public var isIPv6: Bool
    /// Routers a multicast packet may pass; IPv4 only says it (RFC 8866, 5.7).
    public var timeToLive: Int?

    public init(host: String, isIPv6: Bool, timeToLive: Int? = nil) {
      self.host = host
      self.isIPv6 = isIPv6
      self.timeToLive = timeToLive
    }

    fileprivate var text: String {
      let suffix = isIPv6 ? "" : timeToLive.map { "/\($0)" } ?? ""
      return "IN \(isIPv6 ? "IP6" : "IP4") \(host)\(suffix)"
    }
  }

  /// Who sends.
  public var origin: Address
  /// Tells sessions of one origin apart; the wall clock's seconds will do.
  public var sessionID: UInt64
  /// Rises with each change of the session's description (RFC 8866, 5.2).
  public var version: UInt64
  public var name: String
  /// Where to.
  public var connection: Address
  public var media: [Media]

  public init(
    origin: Address, sessionID: UInt64, version: UInt64 = 1, name: String, connection: Address, media: [Media]
  ) {
    self.origin = origin
    self.sessionID = sessionID
    self.version = version
    self.name = name
    self.connection = connection
    self.media = media
  }

  /// The whole text, in lines that end with CRLF.
  public var text: String {
    var lines = [
      "v=0", "o=- \(sessionID) \(version) \(Address(host: origin.host, isIPv6: origin.isIPv6).text)",
      // A line break would end the field.
      "s=\(String(name.map { $0.isNewline ? " " : $0 }))", "c=\(connection.text)", "t=0 0",
    ]
    // Their clocks are one: they can be shown side by side (RFC 5888, 8).
    if media.count > 1 { lines.append("a=group:LS" + media.indices.map { " \($0)" }.joined()) }
    for (index, media) in media.enumerated() {
      lines += [
        "m=video \(media.port) RTP/AVP \(media.payloadType)",
        "a=rtpmap:\(media.payloadType) JPEG/\(MediaClock.rate)",
        // RFC 3605, and RFC 5761, 5.1.1.
        "a=rtcp:\(media.isMuxed ? media.port : media.port &+ 1)",
      ]
      if media.isMuxed { lines.append("a=rtcp-mux") }
      if self.media.count > 1 { lines.append("a=mid:\(index)") }
      if let rate = media.framesPerSecond { lines.append("a=framerate:\(Self.decimal(rate))") }
      if let (width, height) = media.size {
        lines.append("a=framesize:\(media.payloadType) \(width)-\(height)")
        // The payload's own header can't say more.
        if width > 2040 || height > 2040 { lines.append("a=x-dimensions:\(width),\(height)") }
      }
    }
    return lines.map { $0 + "\r\n" }.joined()
  }

  /// Three decimals at most, and none that are not needed.
  private static func decimal(_ value: Double) -> String {
    let thousandths = Int((value * 1000).rounded())
    guard thousandths % 1000 != 0 else { return "\(thousandths / 1000)" }
    var part = "\(1000 + thousandths % 1000)".dropFirst()
    while part.hasSuffix("0") { part.removeLast() }
    return "\(thousandths / 1000).\(part)"
  }
}
