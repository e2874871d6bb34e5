import V4L2Capture

/// A `--set NAME=VALUE`.
struct ControlSetting: Sendable, Equatable {
  let name: String
  let value: String

  init(_ text: String) throws(UsageError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw UsageError("--set '\(text)': expected NAME=VALUE, such as brightness=128; 'streamer list' shows the names")
    }
    (name, value) = (String(parts[0]), String(parts[1]))
  }

  /// What is wrong with its name, with those that the camera has and that are like it.
  func unknown(on camera: String, names: [String]) -> UsageError {
    guard !names.isEmpty else { return UsageError("--set \(name): \(camera) has no controls") }
    let near = names.filter { isNear($0) }.sorted { name.editDistance(to: $0) < name.editDistance(to: $1) }.prefix(3)
    let hint =
      near.isEmpty ? "it has \(names.joined(separator: ", "))" : "did you mean \(near.joined(separator: ", or "))?"
    return UsageError("--set \(name): \(camera) has no such control; \(hint)")
  }

  private func isNear(_ other: String) -> Bool {
    let (one, other) = (name.lowercased(), other.lowercased())
    return one.editDistance(to: other) <= max(2, one.count / 3)
      || (one.count > 3 && (other.contains(one) || one.contains(other)))
  }
}

extension Device {
  /// Sets controls, in the order given: an automatic one can be turned off before what it rules.
  /// - Returns: what was set.
  func apply(_ settings: [ControlSetting], log: Log) throws -> [ControlValue] {
    guard !settings.isEmpty else { return [] }
    let controls = controls()
    return try settings.compactMap { setting in
      guard let known = controls.first(where: { $0.name == setting.name.lowercased() }) else {
        throw setting.unknown(on: path, names: controls.map(\.name))
      }
      let control = refreshed(known)
      let number: Int64
      do throws(ControlRefusal) { number = try control.value(setting.value) } catch {
        throw UsageError("--set \(setting.name)=\(setting.value): \(error)")
      }
      let given = try set(control, to: number)
      guard control.kind != .button else { return nil }
      if let given, given != number {
        log.warning("\(path): asked for \(control.name)=\(number), its driver set \(given)")
      }
      if control.isInactive, refreshed(control).isInactive {
        log.warning(
          "\(path): \(control.name)=\(number) has no effect now: it is inactive; --set the automatic one that rules it"
            + " before it, such as auto_exposure=1")
      }
      return ControlValue(control: control, number: given ?? number)
    }
  }
}
