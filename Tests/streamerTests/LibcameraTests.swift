import CLibcameraBridge
import Testing
import V4L2Capture

@testable import streamer

@Suite struct LibcameraTests {
  @Test func namesAreTaken() throws {
    #expect(try CameraName("libcamera:0") == .libcamera("0"))
    #expect(try CameraName(#"libcamera:\_SB_.PCI0.S20_-1:1.0"#) == .libcamera(#"\_SB_.PCI0.S20_-1:1.0"#))
    #expect(try CameraName("libcamera:0").description == "libcamera:0")
    #expect(throws: UsageError.self) { try CameraName("libcamera:") }
  }

  /// A driver's numbers are kept, with gaps and out of order; what can't be such is replaced for good.
  @Test(
    arguments: [
      ([7, 8, 10, 9, 11], [7, 8, 10, 9, 11]), ([.max, 0, 1], [.max, 0, 1]), ([0, 0, 0, 0], [0, 1, 2, 3]),
      ([5, 3_000_000_000, 7, 8], [5, 6, 7, 8]), ([40, 41, 41, 43, 50], [40, 41, 42, 43, 44]),
    ] as [([UInt32], [UInt32])])
  func numbers(told: [UInt32], given: [UInt32]) {
    var numbers = FrameNumbers()
    #expect(told.map { numbers.next($0) } == given)
  }

  private static let second: Int64 = 1_000_000_000

  /// Of the monotonic clock, of that which goes on in suspension, of neither.
  @Test func times() {
    let (second, now) = (Self.second, 1000 * Self.second)
    func time(_ sensor: Int64, _ buffer: Int64, suspended: Int64 = 0) -> SensorTime {
      SensorTime(sensor: sensor, buffer: buffer, now: now, suspended: suspended)
    }
    #expect(time(now - second, now) == SensorTime(now - second, .sensor))
    #expect(time(now + 4 * second, now, suspended: 5 * second) == SensorTime(now - second, .sensor))
    #expect(time(0, now - second) == SensorTime(now - second, .buffer))
    #expect(time(now + second, now - second) == SensorTime(now - second, .buffer))
    #expect(time(.min, .max) == SensorTime(now, .unknown))
    #expect(time(.max, -1, suspended: 3) == SensorTime(now, .unknown))
    #expect(time(now - 20 * second, 1) == SensorTime(now, .unknown))
  }

  @Test func formatsHaveTheirOwnNames() {
    // The red of RGB888 is in a number's highest bits, and so in memory the last.
    #expect(PixelFormat(drm: PixelFormat("RG24").rawValue) == PixelFormat("BGR3"))
    #expect(PixelFormat("RGB3").drm == PixelFormat("BG24").rawValue)
    #expect(PixelFormat(drm: PixelFormat("NV12").rawValue) == PixelFormat("NV12"))
    #expect(PixelFormat("NV12").drm == PixelFormat("NV12").rawValue)
  }

  private let brightness = LibcameraControl(name: "Brightness", kind: .float, range: -1...1, initial: 0)
  private let gains = LibcameraControl(name: "ColourGains", kind: .float, count: 2, range: 0...32)
  private let mode = LibcameraControl(
    name: "AwbMode", kind: .integer, range: 0...2, initial: 0, choices: [(0, "AwbAuto"), (1, "AwbTungsten"), (2, "")])
  private let crop = LibcameraControl(name: "ScalerCrop", kind: .rectangle, count: 4)
  private let windows = LibcameraControl(name: "AfWindows", kind: .rectangle, count: 0)
  private let switched = LibcameraControl(name: "AeEnable", kind: .boolean, range: 0...1, initial: 1)

  @Test func controlsTakeNumbers() throws {
    #expect(try brightness.numbers("-0.25") == [-0.25])
    #expect(try gains.numbers("1.5,2") == [1.5, 2])
    #expect(try mode.numbers("awbtungsten") == [1] && mode.numbers("2") == [2])
    #expect(try crop.numbers("0,0,1920,1080") == [0, 0, 1920, 1080])
    #expect(try windows.numbers("0,0,10,10,20,20,5,5").count == 8)
    #expect(try switched.numbers("off") == [0] && switched.numbers("1") == [1])
  }

  @Test func wrongNumbersAreAnswered() {
    func complaint(_ control: LibcameraControl, _ text: String) -> String {
      do {
        _ = try control.numbers(text)
        return ""
      } catch { return "\(error)" }
    }
    #expect(complaint(brightness, "2") == "it takes -1 to 1")
    #expect(complaint(brightness, "nan") == "it takes -1 to 1")
    #expect(complaint(brightness, "") == "it takes -1 to 1")
    #expect(complaint(gains, "1") == "it takes 2 numbers with commas between, 0 to 32")
    #expect(complaint(mode, "7") == "it takes one of 0 (AwbAuto), 1 (AwbTungsten), 2")
    #expect(complaint(crop, "1,2,3") == "it takes x,y,width,height in pixels")
    #expect(complaint(windows, "1,2,3,4,5") == "it takes x,y,width,height in pixels")
    #expect(complaint(windows, "") == "it takes x,y,width,height in pixels")
    #expect(complaint(switched, "2") == "it takes on or off")
  }

  /// What libcamera says of a camera that has one control, without a range.
  private func description(_ name: String, choices: [Double]) -> LibcameraDescription {
    name.withCString { name in
      choices.map { lcb_choice(value: $0, name: name) }.withUnsafeBufferPointer { choices in
        let control = lcb_control(
          name: name, kind: LCB_INTEGER, count: 1, minimum: .nan, maximum: .nan, initial: 0,
          choices: choices.baseAddress, choice_count: UInt32(choices.count))
        return withUnsafePointer(to: control) { control in
          LibcameraDescription(
            lcb_description(
              identity: lcb_identity(id: name, model: name, location: LCB_EXTERNAL), modes: nil, mode_count: 0,
              controls: control, control_count: 1))
        }
      }
    }
  }

  /// A lens that can be moved has the mode; one that can only be moved by hand, or none, has not.
  @Test func focus() {
    #expect(description("AfMode", choices: [0, 1, 2]).continuousFocus == 2)
    #expect(description("AfMode", choices: [0, 1]).continuousFocus == nil)
    #expect(description("AwbMode", choices: [0, 1, 2]).continuousFocus == nil)
  }

  @Test func controlsAreShown() {
    #expect(brightness.text == "Brightness=-1 to 1 (default 0)")
    #expect(mode.text == "AwbMode=0 (AwbAuto)|1 (AwbTungsten)|2 (default 0)")
    #expect(switched.text == "AeEnable=on|off (default on)")
  }
}
