import CLibcameraBridge
import LinuxIO
import V4L2Capture

/// `streamer list`: the cameras of this machine.
struct ListCommand {
  private let asJSON: Bool
  private let log: Log

  init(_ arguments: Arguments) throws(UsageError) {
    if let word = arguments.operands.first {
      throw UsageError("'streamer list' takes no '\(word)': it lists all cameras")
    }
    asJSON = arguments.has("json")
    log = Log(level: try arguments.logLevel())
  }

  struct Camera {
    let path: String
    let card: String
    let driver: String
    /// Where it is.
    let bus: String
    /// Other names for it.
    let names: [String]
    let modes: [Mode]
    let controls: [ListedControl]
  }

  struct ListedControl {
    let text: String
    let json: JSON
  }

  func run() throws -> Int32 {
    let (devices, parts) = find(DeviceEntry.all())
    let cameras = devices + libcameras()
    if asJSON { return try Program.print(JSON.array(cameras.map(json)).description + "\n") }
    let found = cameras.map { text($0) + "\n" }.joined() + (Self.note(parts).map { $0 + "\n" } ?? "")
    return try Program.print(
      cameras.isEmpty ? "no cameras found; 'streamer test: --to HOST:PORT' needs none\n" + found : found)
  }

  /// For people, about nodes that are no cameras of their own; nil where there are none.
  static func note(_ parts: [String]) -> String? {
    parts.isEmpty ? nil : "part of a libcamera camera, use libcamera:0: \(parts.joined(separator: ", "))"
  }

  /// The cameras among some devices, and the paths of those that are part of a camera of libcamera's.
  func find(_ entries: [DeviceEntry]) -> (cameras: [Camera], parts: [String]) {
    var parts: [String] = []
    let cameras = entries.compactMap { camera($0, &parts) }
    return (cameras, parts)
  }

  /// nil for nodes that are no cameras (metadata, output, decoders).
  private func camera(_ entry: DeviceEntry, _ parts: inout [String]) -> Camera? {
    do throws(CaptureError) {
      let device = try Device(opening: entry.path)
      let controls = device.controls().map { control in
        let now = device.value(of: control)
        return ListedControl(text: control.text(now: now), json: control.json(now: now))
      }
      return Camera(
        path: entry.path, card: device.card, driver: device.driver, bus: device.bus, names: entry.stableNames,
        modes: device.modes(), controls: controls)
    } catch {
      if error.isPart { parts.append(entry.path) }
      if error.cause == nil { log.debug(error.description) } else { log.warning(error.description) }
      return nil
    }
  }

  /// Those of libcamera; none where there is no bridge to it.
  private func libcameras() -> [Camera] {
    do throws(Failure) {
      return try LibcameraBridge.find()?.withIDs { ids in
        ids.enumerated().compactMap { number, id in libcamera(id, number: number) }
      } ?? []
    } catch {
      log.warning("\(error)")
      return []
    }
  }

  /// nil for one that can't be described: its pipeline has no stream for video, or it was just unplugged.
  private func libcamera(_ id: String, number: Int) -> Camera? {
    do throws(Failure) {
      // An id that cannot be typed is no name.
      let device = try LibcameraDevice(opening: id == id.printable ? id : "\(number)")
      let found = try device.description()
      return Camera(
        path: device.name, card: found.model.isEmpty ? found.id : found.model, driver: "libcamera",
        bus: found.location, names: ["libcamera:\(number)"], modes: found.modes,
        controls: found.controls.map { ListedControl(text: $0.text, json: $0.json) })
    } catch {
      log.warning("\(error)")
      return nil
    }
  }

  private func text(_ camera: Camera) -> String {
    let place = [camera.driver, camera.bus].filter { !$0.isEmpty }.joined(separator: ", ")
    return
      (["\(camera.path)  \(camera.card) (\(place))"]
      + camera.names.map { "  \($0)" } + camera.modes.map { "  \($0)" }
      + camera.controls.map { "  \($0.text)" }).map(\.printable).joined(separator: "\n")
  }

  private func json(_ camera: Camera) -> JSON {
    .object([
      ("path", .string(camera.path)), ("card", .string(camera.card)), ("driver", .string(camera.driver)),
      ("bus", .string(camera.bus)),
      ("stable_names", .array(camera.names.map { .string($0) })),
      ("modes", .array(camera.modes.map(json))), ("controls", .array(camera.controls.map(\.json))),
    ])
  }

  private func json(_ mode: Mode) -> JSON {
    var members: [(String, JSON)] = [
      ("format", .string("\(mode.format)")), ("width", .integer(UInt64(mode.sizes.largest.width))),
      ("height", .integer(UInt64(mode.sizes.largest.height))),
    ]
    if mode.sizes.smallest != mode.sizes.largest {
      members += [
        ("min_width", .integer(UInt64(mode.sizes.smallest.width))),
        ("min_height", .integer(UInt64(mode.sizes.smallest.height))),
        ("step_width", .integer(UInt64(mode.sizes.step.width))),
        ("step_height", .integer(UInt64(mode.sizes.step.height))),
      ]
    }
    members.append((mode.rates.isContinuous ? "fps_range" : "fps", .array(mode.rates.rates.map { .number($0.value) })))
    return .object(members)
  }
}
