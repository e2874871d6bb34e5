import CScriptedDriver
import Glibc
import LinuxIO
import ScriptedDriver
import Testing

@testable import V4L2Capture

/// Controls of a driver that the test scripts: some fail, some are forgotten, some are inactive.
@Suite struct ControlQueryTests {
  private let driver = ScriptedDriver()

  /// Brightness, contrast, saturation and exposure, by V4L2's own ids.
  private static let ids: [(String, UInt32)] = [
    ("Brightness", 0x0098_0900), ("Contrast", 0x0098_0901), ("Saturation", 0x0098_0902), ("Gain", 0x0098_0913),
    ("Exposure", 0x009A_0902), ("Own", 0x0098_1003),
  ]

  private func addAll(flags: UInt32 = 0) {
    for (name, id) in Self.ids.sorted(by: { $0.1 < $1.1 }) {
      driver.add(name, id: id, type: V4L2_CTRL_TYPE_INTEGER, 0, 255, initial: 128, flags: flags)
    }
  }

  /// Has queries of some controls fail, whether a driver is asked for them or for the next one.
  private func fail(_ failing: [UInt32], with errno: Int32) {
    driver.onCall = { [driver] request, argument, answer in
      guard request == SCRIPTED_QUERY_EXT_CTRL else { return answer() }
      let query = argument.assumingMemoryBound(to: v4l2_query_ext_ctrl.self)
      let asked = query.pointee
      let error = answer()
      guard error == 0, failing.contains(query.pointee.id) else { return error }
      _ = driver
      query.pointee = asked
      return errno
    }
  }

  @Test(arguments: [EPIPE, EIO, ETIMEDOUT, EPROTO, ERANGE])
  func aControlThatFailsDoesNotHideTheOthers(errno: Int32) throws {
    defer { driver.end() }
    addAll()
    let device = try Device(opening: driver.path)
    let names = device.controls().map(\.name)
    #expect(names == ["brightness", "contrast", "saturation", "gain", "own", "exposure"])
    for (name, id) in Self.ids {
      fail([id], with: errno)
      #expect(device.controls().map(\.name) == names.filter { $0 != name.lowercased() }, "\(name) fails")
    }
    fail([0x0098_0901, 0x0098_0902, 0x0098_1003], with: errno)
    #expect(device.controls().map(\.name) == ["brightness", "gain", "exposure"])
    fail(Self.ids.map(\.1), with: errno)
    #expect(device.controls().isEmpty)
  }

  /// A driver whose own ids are unusual, and one that is gone, ends soon.
  @Test func unusualDrivers() throws {
    defer { driver.end() }
    for id: UInt32 in 1...40 { driver.add("Control \(id)", id: id, type: V4L2_CTRL_TYPE_INTEGER, 0, 9) }
    let device = try Device(opening: driver.path)
    fail([2, 7], with: EPIPE)
    #expect(device.controls().count == 38)
    driver.onCall = { request, _, answer in request == SCRIPTED_QUERY_EXT_CTRL ? ENODEV : answer() }
    #expect(device.controls().isEmpty)
    driver.onCall = { request, _, answer in request == SCRIPTED_QUERY_EXT_CTRL ? EIO : answer() }
    #expect(device.controls().isEmpty)
  }

  @Test func whatTheCameraForgotIsSetAgain() throws {
    defer { driver.end() }
    addAll()
    let device = try Device(opening: driver.path)
    let values = try device.controls().prefix(3).map { control in
      ControlValue(control: control, number: try device.set(control, to: 200) ?? 0)
    }
    #expect(device.restore(values) == [])
    driver.values[0x0098_0901] = 128
    let notes = device.restore(values)
    #expect(notes.count == 1 && notes[0].contains("contrast=200") && notes[0].contains("had 128"))
    #expect(notes[0].contains("was set again") && driver.values[0x0098_0901] == 200)
    // It does not keep it, or refuses it now.
    driver.values[0x0098_0900] = 7
    driver.onCall = { request, _, answer in request == SCRIPTED_S_EXT_CTRLS ? 0 : answer() }
    #expect(device.restore(values).first?.contains("does not keep it") == true)
    driver.onCall = { request, _, answer in request == SCRIPTED_S_EXT_CTRLS ? EIO : answer() }
    #expect(device.restore(values).first?.contains("EIO") == true)
  }

  /// What the camera changes itself was not forgotten.
  @Test(arguments: [UInt32(V4L2_CTRL_FLAG_VOLATILE), UInt32(V4L2_CTRL_FLAG_INACTIVE)])
  func whatIsNotForgotten(flags: UInt32) throws {
    defer { driver.end() }
    addAll(flags: flags)
    let device = try Device(opening: driver.path)
    let values = device.controls().map { ControlValue(control: $0, number: 3) }
    #expect(device.restore(values) == [])
  }
}
