import Testing

@testable import RTPCore

@Suite struct SessionDescriptionTests {
  private func description(_ connection: SessionDescription.Address, _ media: [SessionDescription.Media]) -> String {
    SessionDescription(
      origin: .init(host: "192.0.2.1", isIPv6: false), sessionID: 5, name: "cam\r\nera", connection: connection,
      media: media
    ).text
  }

  @Test func isWhatPlayersRead() {
    let text = description(
      .init(host: "192.0.2.9", isIPv6: false),
      [.init(port: 5001, payloadType: 26, framesPerSecond: 30000.0 / 1001, size: (1920, 1080))])
    #expect(
      text.split(separator: "\r\n").map(String.init) == [
        "v=0", "o=- 5 1 IN IP4 192.0.2.1", "s=cam era", "c=IN IP4 192.0.2.9", "t=0 0", "m=video 5001 RTP/AVP 26",
        "a=rtpmap:26 JPEG/90000", "a=rtcp:5002", "a=framerate:29.97", "a=framesize:26 1920-1080",
      ])
    #expect(text.hasSuffix("\r\n"))
  }

  @Test func namesGroupsAndLargePictures() {
    let multicast = description(.init(host: "239.1.2.3", isIPv6: false, timeToLive: 4), [])
    #expect(multicast.contains("c=IN IP4 239.1.2.3/4\r\n"))
    let six = description(
      .init(host: "ff15::1", isIPv6: true, timeToLive: 4),
      [
        .init(port: 5000, payloadType: 96, framesPerSecond: 7.5, size: (3840, 2160)),
        .init(port: 5002, payloadType: 96),
      ])
    #expect(six.contains("c=IN IP6 ff15::1\r\n"))
    #expect(six.contains("a=x-dimensions:3840,2160\r\n") && six.contains("a=framerate:7.5\r\n"))
    #expect(six.contains("m=video 5002 RTP/AVP 96\r\n"))
  }
}
