import LinuxIO

/// What `bench --json` printed at another time.
struct FormerResult {
  let json: JSON

  /// - Parameter path: of the file that it is in.
  init(_ path: String) throws {
    let text = String(decoding: try File.read(path, limit: 1 << 24), as: UTF8.self)
    guard let json = JSONReader.read(text), case .object? = json["latency_us"], json["frames"]?.number != nil else {
      throw UsageError("--compare \(path): it is no result of bench --json")
    }
    self.json = json
  }
}
