import LinuxIO

/// A capture device of this machine, with the names that stay its own when its number changes.
public struct DeviceEntry: Sendable {
  /// Such as `/dev/video0`.
  public let path: String
  /// Links of /dev/v4l/by-id and /dev/v4l/by-path that lead to it.
  public let stableNames: [String]

  public init(path: String, stableNames: [String] = []) {
    self.path = path
    self.stableNames = stableNames
  }

  /// All /dev/video* in the order of their numbers.
  public static func all() -> [DeviceEntry] {
    let links = ["/dev/v4l/by-id", "/dev/v4l/by-path"].flatMap { folder in
      ((try? File.names(in: folder)) ?? []).map { folder + "/" + $0 }
    }
    let numbers = ((try? File.names(in: "/dev")) ?? []).compactMap { name in
      name.hasPrefix("video") ? Int(name.dropFirst(5)) : nil
    }
    return numbers.sorted().map { number in
      let path = "/dev/video\(number)"
      return DeviceEntry(path: path, stableNames: links.filter { File.resolve($0) == path })
    }
  }
}
