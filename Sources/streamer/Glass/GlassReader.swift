import JPEGCodec
import Statistics

/// From glass to glass: how long before its frame arrived the time was shown that a camera saw.
struct GlassReader: ~Copyable {
  private var decoder: JPEGDecoder
  private var reader = TimeCodeReader()
  /// Of the frames that were read, but for those of the future.
  private(set) var latency = Histogram()
  /// Frames without a code that can be read.
  private(set) var unread: UInt64 = 0
  /// Frames that arrived before their time was shown: the clocks differ.
  private(set) var ahead: UInt64 = 0

  init() throws(CodecError) { decoder = try JPEGDecoder() }

  /// Reads the time code in a frame, and counts it.
  /// - Parameter arrival: by the wall clock, in nanoseconds since 1970.
  /// - Returns: how long before that the code was shown, in nanoseconds; up to 1 ms too much, since the code has whole
  ///   milliseconds. Less than 0 where the clocks differ; nil where there is no code that can be read.
  mutating func latency(of jpeg: UnsafeRawBufferPointer, arrival: Int64) -> Int64? {
    guard let code = code(in: jpeg) else {
      unread += 1
      return nil
    }
    let age = code.age(at: arrival)
    if age < 0 { ahead += 1 } else { latency.record(age) }
    return age
  }

  private mutating func code(in jpeg: UnsafeRawBufferPointer) -> TimeCode? {
    // What can't be decoded has no code.
    guard let picture = try? decoder.decode(jpeg, to: .luma) else { return nil }
    return reader.read(picture.pixels, width: picture.width, height: picture.height, stride: picture.width)
  }

  /// For people.
  var text: String {
    var parts: [String] = []
    if latency.count > 0 {
      let tenths = latency.distribution.percentile(0.5) / 100_000
      parts.append("\(tenths / 10).\(tenths % 10) ms from glass to glass (median of \(latency.count))")
    }
    if ahead > 0 { parts.append("\(ahead) of a time to come (the clocks differ)") }
    parts.append("\(unread) without a readable code")
    return parts.joined(separator: ", ")
  }

  /// For programs.
  var members: [(String, JSON)] {
    [
      ("glass_us", latency.count > 0 ? latency.distribution.json : .null), ("glass_unread", .integer(unread)),
      ("glass_ahead", .integer(ahead)),
    ]
  }
}
