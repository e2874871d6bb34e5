import LinuxIO

/// An option of the command line: the one place where it is named and explained.
struct OptionEntry: Sendable {
  let name: String
  /// What its value is called in the help; nil: it takes none.
  let value: String?
  let help: String
  let verbs: [Verb]

  private init(_ name: String, _ value: String?, _ verbs: [Verb], _ help: String) {
    self.name = name
    self.value = value
    self.help = help
    self.verbs = verbs
  }

  private static let streaming: [Verb] = [.stream, .bench]
  private static let sending: [Verb] = [.stream, .sdp, .bench]

  static let all = [
    OptionEntry(
      "to", "HOST:PORT", sending,
      "A receiver; several may be given. An IPv6 address stands in brackets: [fd00::2]:5000. A second camera goes to PORT + 2, and so on."
    ),
    OptionEntry(
      "size", "WxH", sending,
      "The picture's size. Default: the largest up to 1920x1080 that reaches 25 frames a second; test: has 1280x720."),
    OptionEntry("fps", "N", sending, "Frames a second, such as 30, 7.5 or 30000/1001. Default: the highest up to 30."),
    OptionEntry(
      "format", "NAME", sending,
      "The camera's format: mjpeg, jpeg, yuyv, uyvy, nv12, yu12, grey, rgb24, or another by its four characters; raw ones are encoded here. Default: auto, which is JPEG where the camera has it, else the raw format that costs least."
    ),
    OptionEntry("quality", "1-100", streaming, "JPEG quality of raw cameras and test: (default 80)."),
    OptionEntry(
      "bitrate", "MBIT", streaming,
      "Hold so many Mbit/s of raw cameras' and test:'s JPEG data by changing the quality from frame to frame, between 5 and --quality (default 95 then)."
    ),
    OptionEntry(
      "subsampling", "420|422", streaming, "How much colour is kept of raw cameras' pictures (default 420)."),
    OptionEntry(
      "range", "convert|as-is", streaming,
      "Bring raw pictures to JPEG's colours, full range and BT.601 (convert, default), or leave the numbers as they are."
    ),
    OptionEntry(
      "set", "NAME=VALUE", streaming,
      "Set one of the camera's controls, such as brightness=128 or auto_exposure=1, of libcamera Brightness=0.2 or ColourGains=1.5,2; may be given again, and is done in that order. 'streamer list' shows names, ranges and menus."
    ),
    OptionEntry("flip", "h|v|hv", streaming, "Turn the picture left to right, upside down, or both, in the camera."),
    OptionEntry("rotate", "0|180", streaming, "Turn the picture by half a turn, in the camera, or not."),
    OptionEntry(
      "buffers", "N", streaming, "Buffers to ask the camera's driver, or libcamera, for, 2 to 32 (default 4)."),
    OptionEntry(
      "mtu", "BYTES|auto", streaming,
      "The largest RTP packet, which is the UDP payload, 200 to 65507. Default: 1400, or less where the way to a receiver takes less; auto: as much as it takes, which is 1472 over Ethernet and IPv4. Packets are never cut into IP fragments."
    ),
    OptionEntry(
      "pace", "on|off|MBIT", streaming,
      "Spread a frame's packets over half the time until the next frame (on), or send them at so many Mbit/s, so that slow links and small queues lose none. Its first 16 kB leave at once. Default: off, which is the least latency."
    ),
    OptionEntry(
      "early", "auto|on|off", streaming,
      "Send a frame's packets while the camera is still filling it, where its driver shows the data as it comes (uvcvideo): the last packet leaves sooner, and none in bursts. auto (default) finds out with the first frames whether it does, on goes on trying; a frame that turns out to be bad ends without its last packet."
    ),
    OptionEntry(
      "gso", "auto|off", streaming,
      "Hand the kernel many packets in one call (UDP GSO), which saves CPU time, where it and the network device can do it (auto, default); or one by one."
    ),
    OptionEntry(
      "payload-type", "N", sending, "RTP payload type, 0 to 63 or 96 to 127 (default 26, JPEG's own; BlueOS wants 96)."),
    OptionEntry("ssrc", "HEX", streaming, "RTP source identifier; a second camera has the next. Default: random."),
    OptionEntry(
      "bad-frames", "drop|repair", streaming,
      "What becomes of frames that are cut short, or that the driver flags as damaged: they are dropped (default), or what there is of them is sent. Both are counted."
    ),
    OptionEntry(
      "recode", "auto|off", streaming,
      "What becomes of JPEGs that RTP can't carry: they are re-coded (default), without loss where only their coding is in the way (progressive, other Huffman tables), else by encoding them again; or they are dropped."
    ),
    OptionEntry(
      "onvif-extension", nil, streaming,
      "Say each picture's size in ONVIF's RTP header extension, too: for receivers that know it, at over 2040 pixels."
    ),
    OptionEntry(
      "cpu", "N", streaming, "Bind the camera's thread to this CPU; a second camera's to the next. Default: unbound."),
    OptionEntry(
      "rtcp-mux", nil, sending,
      "Send RTCP reports to the receiver's RTP port, and take them on this one's (RFC 5761); those of a multicast group's receivers are not heard then. Default: to PORT + 1."
    ),
    OptionEntry(
      "ttl", "N", sending, "How many routers packets to a multicast group may pass, 0 to 255 (default 1: none)."),
    OptionEntry(
      "interface", "NAME", streaming,
      "The network interface that packets leave by, such as wlan0. Default: by the routing table."),
    OptionEntry(
      "dscp", "N|NAME", streaming,
      "The class of service that routers and Wi-Fi see: 0 to 63, or a name such as AF41, CS5, EF. Default: the system's."
    ),
    OptionEntry(
      "input", "N|NAME", streaming,
      "The input of a capture device to switch to, such as 1 or 'HDMI 0'. Default: the one that is on."),
    OptionEntry(
      "standard", "NAME", streaming,
      "The video standard of an analog input, such as PAL or NTSC. Default: the one that is set."),
    OptionEntry(
      "wait", nil, [.stream],
      "Wait for a camera that is not there at the start. One that is lost later is waited for in any case."),
    OptionEntry(
      "exit-on-loss", nil, [.stream],
      "End with status 1 when a camera is lost, for those who have a supervisor that starts the program again."),
    OptionEntry(
      "stall-timeout", "SECONDS", [.stream],
      "Restart a camera that gives no frame for so long. Default: 3, or 10 frame intervals where those are longer."),
    OptionEntry(
      "keep-all", nil, streaming,
      "Send every frame, however late, and end each before the next. Default: the newest frame wins; what is left out is counted."
    ),
    OptionEntry(
      "realtime", "1-99", streaming,
      "Run the cameras' threads before all others (SCHED_FIFO), with the memory locked. Needs CAP_SYS_NICE and CAP_IPC_LOCK."
    ),
    OptionEntry(
      "sdp", "FILE", [.stream],
      "Write the SDP that players need, with the first frame, and again when the pictures' size changes; for a second receiver to FILE-2, and so on. Several cameras have one file, and one each: camera.sdp, camera-camera0.sdp and so on."
    ),
    OptionEntry(
      "stats", "SECONDS", [.stream],
      "Print every SECONDS what was sent, dropped and lost: in all, and the rates since the last time."
    ),
    OptionEntry(
      "x-dimensions", "WxH", [.receive],
      "The pictures' size where it is over 2040 pixels and so not said in the stream (the SDP's x-dimensions)."),
    OptionEntry("frames", "N", [.receive, .bench], "Stop after N whole frames; bench measures 300 by default."),
    OptionEntry("warm-up", "N", [.bench], "Frames to pass over before (default 30)."),
    OptionEntry(
      "html", "FILE", [.bench], "Write a page with the histogram, every frame's time, and the shares of late frames."),
    OptionEntry("times", "FILE", [.bench, .receive], "Write a line of comma-separated times for each whole frame."),
    OptionEntry(
      "until", "sent|received", [.bench],
      "Where a frame's way ends: with its last packet handed over (sent, default), or as a whole JPEG in a receiver on this machine, which bench brings along (received). For one on another machine see 'streamer receive --shared-clock'."
    ),
    OptionEntry(
      "compare", "FILE", [.bench],
      "Print an earlier --json beside this result; status 1 when a figure is worse, by more than chance."),
    OptionEntry("tolerance", "PERCENT", [.bench], "What --compare lets a figure be worse by (default 10)."),
    OptionEntry(
      "glass-page", "FILE", [.bench],
      "Write a page that shows the time to a camera before a screen, for --glass, and measure nothing."
    ),
    OptionEntry("csv", nil, [.bench], "Print a line of comma-separated values for each stage."),
    OptionEntry("seconds", "S", [.receive], "Stop after S seconds."),
    OptionEntry("out", "DIR", [.receive], "Write every whole frame as DIR/frame-00000001.jpg, and so on."),
    OptionEntry(
      "decode", nil, [.receive], "Decode every whole frame, too, and count those that libjpeg-turbo complains about."),
    OptionEntry(
      "shared-clock", nil, [.receive],
      "The sender's wall clock and this one's are one (PTP, NTP): measure the time from capture to here. Where the sender is this machine, it is measured without."
    ),
    OptionEntry(
      "glass", nil, [.receive, .bench],
      "Read the time code in every whole frame, as test: and the page of 'streamer bench --glass-page' show it: measure from glass to glass. Where the page is on another machine, its wall clock and this one's must be one (PTP, NTP)."
    ),
    OptionEntry("json", nil, [.list, .bench, .receive], "Print JSON for programs."),
    OptionEntry("log-level", "LEVEL", Verb.allCases, "error, warning, info (default) or debug."),
    OptionEntry("help", nil, Verb.allCases, "Show this help; each verb has its own."),
    OptionEntry("version", nil, Verb.allCases, "Show the version."),
  ]
}
