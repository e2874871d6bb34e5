import Testing

@testable import V4L2Capture

@Suite struct ModeTests {
  private func mode(_ size: String, _ rates: [UInt32], _ format: PixelFormat = .mjpeg) throws -> Mode {
    Mode(
      format: format, sizes: SizeRange(try #require(FrameSize(size))),
      rates: RateRange(rates.compactMap { FrameRate($0) }))
  }

  private func choose(_ request: ModeRequest, _ modes: [Mode]) throws -> String {
    let choice = try request.choose(from: modes)
    return "\(choice.format) \(choice.size) \(choice.rate.map { "\($0)" } ?? "-")"
  }

  private let yuyv = PixelFormat(rawValue: 0x5659_5559)

  @Test func theDefaultIsLargeAndSmooth() throws {
    let webcam = [
      try mode("2304x1296", [30, 15]), try mode("640x480", [60, 30, 15]), try mode("1920x1080", [30, 24, 15]),
      try mode("1280x720", [60, 30]), try mode("1920x1080", [5], yuyv),
    ]
    #expect(try choose(ModeRequest(), webcam) == "MJPG 1920x1080 30")
    #expect(try choose(ModeRequest(size: FrameSize(1280, 720)), webcam) == "MJPG 1280x720 30")
    #expect(try choose(ModeRequest(rate: FrameRate(60)), webcam) == "MJPG 1280x720 60")
    #expect(try choose(ModeRequest(size: FrameSize(2304, 1296), rate: FrameRate(15)), webcam) == "MJPG 2304x1296 15")
    // 1080p is too slow here.
    #expect(
      try choose(ModeRequest(), [try mode("1920x1080", [15]), try mode("1280x720", [25]), try mode("800x600", [30])])
        == "MJPG 1280x720 25")
    // Nothing is smooth: the fastest.
    #expect(try choose(ModeRequest(), [try mode("1920x1080", [5]), try mode("640x480", [15])]) == "MJPG 640x480 15")
    // All are larger: the smallest.
    #expect(
      try choose(ModeRequest(), [try mode("3840x2160", [30]), try mode("2560x1440", [30])]) == "MJPG 2560x1440 30")
    // Not from 60 down to 15.
    #expect(try choose(ModeRequest(), [try mode("640x480", [60, 15])]) == "MJPG 640x480 60")
    #expect(try choose(ModeRequest(), [try mode("640x480", [120, 90, 60])]) == "MJPG 640x480 60")
    // A portrait sensor is not over 1080 lines.
    #expect(try choose(ModeRequest(), [try mode("1080x1920", [30]), try mode("480x640", [30])]) == "MJPG 480x640 30")
    #expect(try choose(ModeRequest(), [try mode("640x480", [30], .jpeg)]) == "JPEG 640x480 30")
    #expect(try choose(ModeRequest(), [try mode("640x480", [])]) == "MJPG 640x480 -")
  }

  /// Drivers call JPEGs by two names; either is asked for, and the exact one is taken where there are both.
  @Test func jpegHasTwoNames() throws {
    let (one, other) = (try mode("640x480", [30]), try mode("640x480", [30], .jpeg))
    #expect(try choose(ModeRequest(format: .mjpeg), [other]) == "JPEG 640x480 30")
    #expect(try choose(ModeRequest(format: .jpeg), [one]) == "MJPG 640x480 30")
    #expect(try choose(ModeRequest(format: .mjpeg), [other, one]) == "MJPG 640x480 30")
    #expect(try choose(ModeRequest(format: .jpeg), [one, other]) == "JPEG 640x480 30")
    let raw = [try mode("640x480", [30], yuyv)]
    #expect(throws: ModeNotOffered.self) { try ModeRequest(format: .jpeg).choose(from: raw) }
  }

  @Test func aRawFormatIsTakenWhereThereIsNoJPEG() throws {
    let formats = ["YUYV", "RGB3", "GREY", "BA81", "NV12", "H264"].map { PixelFormat(name: $0) ?? .mjpeg }
    let modes = try formats.map { try mode("640x480", [30], $0) }
    #expect(try choose(ModeRequest(), modes) == "NV12 640x480 30")
    #expect(try choose(ModeRequest(format: yuyv), modes) == "YUYV 640x480 30")
    // The cheapest that reaches what is asked for.
    #expect(
      try choose(ModeRequest(size: FrameSize(1280, 720)), modes + [try mode("1280x720", [10], yuyv)])
        == "YUYV 1280x720 10")
    #expect(
      try choose(ModeRequest(rate: FrameRate(60)), modes + [try mode("640x480", [60, 30], yuyv)]) == "YUYV 640x480 60")
    // Colour before none, JPEG before all.
    #expect(try choose(ModeRequest(), [modes[2], modes[3]]) == "BA81 640x480 30")
    #expect(try choose(ModeRequest(), [modes[2]]) == "GREY 640x480 30")
    #expect(try choose(ModeRequest(), modes + [try mode("320x240", [30])]) == "MJPG 320x240 30")
    #expect(
      try choose(ModeRequest(size: FrameSize(640, 480)), modes + [try mode("320x240", [30])]) == "NV12 640x480 30")
    // A size that raw pictures come at slowly is not smooth.
    #expect(try choose(ModeRequest(), modes + [try mode("1920x1080", [5], yuyv)]) == "NV12 640x480 30")
  }

  @Test func formatsHaveManyNames() {
    for (name, code) in [
      ("yuyv", "YUYV"), ("YUY2", "YUYV"), ("nv12", "NV12"), ("yu12", "YU12"), ("i420", "YU12"), ("grey", "GREY"),
      ("rgb24", "RGB3"), ("RGB3", "RGB3"), ("bgr24", "BGR3"), ("422p", "422P"), ("pbaa", "pBAA"), ("pgAA", "pgAA"),
      ("Y16", "Y16"), ("mjpg", "MJPG"), ("h264", "H264"),
    ] { #expect(PixelFormat(name: name)?.description == code) }
    #expect(PixelFormat(name: "nv12")?.cost != nil && PixelFormat(name: "h264")?.cost == nil)
    #expect(PixelFormat(name: "") == nil && PixelFormat(name: "yuv422 10 bit") == nil)
  }

  /// By videodev2.h's V4L2_MAP_*_DEFAULT.
  @Test func coloursFollowFromTheColourSpace() {
    func colours(_ space: UInt32, _ encoding: UInt32, _ quantization: UInt32, isRGB: Bool = false) -> Colorimetry {
      Colorimetry(space: space, encoding: encoding, quantization: quantization, isFullByDefault: isRGB)
    }
    // None, SMPTE 170M, BT.709, JPEG, sRGB, BT.2020.
    for (space, encoding, isFull) in [
      (UInt32(0), Colorimetry.Encoding.bt601, false), (1, .bt601, false), (3, .bt709, false), (7, .bt601, true),
      (8, .bt601, false), (10, .bt2020, false),
    ] {
      #expect(colours(space, 0, 0) == Colorimetry(encoding, isFullRange: isFull))
      #expect(colours(space, 0, 0, isRGB: true).isFullRange)
      #expect(colours(space, 0, 2, isRGB: true).isFullRange == false)
    }
    #expect(colours(8, 2, 1) == Colorimetry(.bt709, isFullRange: true))
    #expect(colours(3, 1, 2) == Colorimetry(.bt601, isFullRange: false))
  }

  /// Why a request is refused; empty where it is not.
  private func refusal(_ request: ModeRequest, _ modes: [Mode]) -> String {
    do throws(ModeNotOffered) {
      _ = try request.choose(from: modes)
      return ""
    } catch { return error.description }
  }

  @Test func whatIsNotOfferedIsListed() throws {
    let modes = [try mode("640x480", [30, 15]), try mode("640x480", [30], yuyv)]
    for request in [
      ModeRequest(size: FrameSize(641, 480)), ModeRequest(rate: FrameRate(60)),
      ModeRequest(format: PixelFormat("NV12")),
      ModeRequest(size: FrameSize(640, 480), rate: FrameRate(29)),
    ] {
      #expect(refusal(request, modes).contains("\n  MJPG 640x480 at 30, 15 fps\n  YUYV 640x480 at 30 fps"))
    }
    #expect(refusal(ModeRequest(rate: FrameRate(60)), modes).contains("--fps 60"))
    #expect(
      refusal(ModeRequest(), [try mode("640x480", [30], PixelFormat("H264"))]).contains(
        "does not offer JPEG, nor a raw format"))
    #expect(refusal(ModeRequest(), []).contains("no mode"))
  }

  /// Drivers round: 333333/10000000 s is 30 frames a second.
  @Test func ratesAreNearlyEqual() throws {
    let rounded = try #require(FrameRate(10_000_000, 333_333))
    let mode = Mode(format: .mjpeg, sizes: SizeRange(FrameSize(640, 480)), rates: RateRange([rounded]))
    #expect(try ModeRequest(rate: FrameRate(30)).choose(from: [mode]).rate == rounded)
    #expect(try ModeRequest(rate: FrameRate("29.97")).choose(from: [mode]).rate == rounded)
    #expect(throws: ModeNotOffered.self) { try ModeRequest(rate: FrameRate(29)).choose(from: [mode]) }
  }

  /// A driver with ranges, as the Pi's old camera driver has.
  @Test func rangesAreChosenFrom() throws {
    let range = Mode(
      format: .mjpeg, sizes: SizeRange(from: FrameSize(32, 32), to: FrameSize(2592, 1944), step: FrameSize(2, 2)),
      rates: RateRange([FrameRate(1), FrameRate(90)].compactMap { $0 }, isContinuous: true))
    #expect(try choose(ModeRequest(), [range]) == "MJPG 1920x1080 30")
    #expect(try choose(ModeRequest(size: FrameSize(640, 482), rate: FrameRate("7.5")), [range]) == "MJPG 640x482 7.5")
    #expect(throws: ModeNotOffered.self) { try ModeRequest(size: FrameSize(641, 480)).choose(from: [range]) }
    #expect(throws: ModeNotOffered.self) { try ModeRequest(size: FrameSize(4000, 480)).choose(from: [range]) }
    #expect(throws: ModeNotOffered.self) { try ModeRequest(rate: FrameRate(91)).choose(from: [range]) }
  }

  @Test func textsAreRead() {
    #expect(FrameSize("1280x720") == FrameSize(1280, 720))
    for bad in ["", "x", "1280", "1280x", "0x5", "1280x720x1", "-1x5", "1280x99999999999"] {
      #expect(FrameSize(bad) == nil)
    }
    #expect(FrameRate("30000/1001")?.description == "29.97")
    #expect(FrameRate("7.5")?.description == "7.5" && FrameRate("30")?.description == "30")
    for bad in ["", "0", "-1", "1/0", "nan", "inf", "1e9", "30fps"] { #expect(FrameRate(bad) == nil) }
    #expect(PixelFormat(name: "mjpg") == .mjpeg && PixelFormat(name: "YUYV") == yuyv)
    #expect(yuyv.description == "YUYV" && PixelFormat(name: "toolong") == nil)
  }
}
