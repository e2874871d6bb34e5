import LinuxIO
import Testing
import V4L2Capture

@testable import streamer

@Suite struct PlayerHintTests {
  private func command(
    _ size: FrameSize, _ host: String, payloadType: UInt8 = 26, sdpPath: String? = nil
  ) throws -> String {
    PlayerHint(size: size, payloadType: payloadType, sdpPath: sdpPath)
      .text(for: try SocketAddress(host: host, port: 5000))
  }

  @Test func isACommandForTheReceiversMachine() throws {
    let size = FrameSize(2040, 2040)
    #expect(try command(size, "192.0.2.9") == "ffplay rtp://0.0.0.0:5000")
    #expect(try command(size, "2001:db8::9") == "ffplay rtp://[::]:5000")
    #expect(try command(size, "239.1.2.3") == "ffplay rtp://239.1.2.3:5000")
  }

  @Test func namesTheSDPWhereOneIsNeeded() throws {
    let size = FrameSize(640, 480)
    let without = try command(size, "192.0.2.9", payloadType: 96)
    #expect(without.contains("-i camera.sdp (") && without.contains("--sdp camera.sdp"))
    #expect(
      try command(size, "192.0.2.9", payloadType: 96, sdpPath: "/tmp/it's.sdp")
        .contains(#"-i '/tmp/it'\''s.sdp' (copy this file"#))
  }

  @Test func saysTheSizeThatPacketsCannot() throws {
    for size in [FrameSize(2041, 480), FrameSize(480, 2041)] {
      let command = try command(size, "239.1.2.3", sdpPath: "a.sdp")
      #expect(command.contains("x-dimensions=(string)\"\(size.width),\(size.height)\"") && !command.contains("ffplay"))
      #expect(command.contains("udpsrc address=239.1.2.3 port=5000"))
    }
  }

  @Test func knowsWhatPlayersShow() {
    func shown(_ width: UInt32, _ height: UInt32) -> FrameSize? {
      PlayerHint(size: FrameSize(width, height), payloadType: 26, sdpPath: nil).shownSize
    }
    #expect(shown(1600, 900) == FrameSize(1600, 904) && shown(641, 479) == FrameSize(648, 480))
    // Over 2040 pixels, the SDP has the size itself.
    #expect(shown(1920, 1080) == nil && shown(2040, 2039) == FrameSize(2040, 2040) && shown(2050, 901) == nil)
  }
}

@Suite struct SDPFilesTests {
  @Test func namesAreOfTheCameraAndTheReceiver() {
    func name(_ path: String, _ camera: String?, _ receiver: Int) -> String {
      SDPFiles.name(path, camera: camera, receiver: receiver)
    }
    #expect(name("a.b/camera.sdp", nil, 0) == "a.b/camera.sdp")
    #expect(name("a.b/camera.sdp", "camera1", 0) == "a.b/camera-camera1.sdp")
    #expect(name("a.b/camera", "camera1", 1) == "a.b/camera-camera1-2")
    #expect(name(".sdp", "camera0", 0) == ".sdp-camera0")
    #expect(name("c.sdp", nil, 2) == "c.sdp-3")
  }
}
