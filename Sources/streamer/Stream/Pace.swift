import LinuxIO

/// How fast a frame's packets leave: all at once, or spread over a part of the time until the next frame, so that no
/// queue on the way overflows. What comes first leaves at once: small frames wait for nothing.
struct Pace {
  /// What the user asked for.
  enum Setting: Equatable, Sendable {
    case off
    /// Half the time between two frames.
    case on
    /// Bits a second; more where a frame would not be gone before the next.
    case rate(Double)
  }

  let setting: Setting
  /// Between two frames, in nanoseconds.
  private var interval: Int64
  private let isIntervalKnown: Bool
  private var lastCapture: Int64?
  private var start: Int64 = 0
  private var byteCount = 0
  /// Bytes a nanosecond; 0: all at once.
  private var rate = 0.0

  /// Bytes that leave at once: any queue takes them.
  private static let burst = 16_384
  /// Nanoseconds between two groups of packets.
  static let tick: Int64 = 1_000_000
  /// With `on` never slower than this, in bytes a nanosecond (50 Mbit/s): the slowest wire takes it.
  private static let slowest = 0.006_25

  /// - Parameter interval: between two frames, where the camera says it; else it is measured.
  init(_ setting: Setting, interval: Int64?) {
    self.setting = setting
    self.interval = max(interval ?? 33_333_333, Self.tick)
    isIntervalKnown = interval != nil
  }

  /// A frame begins.
  /// - Parameters:
  ///   - byteCount: of all its packets.
  ///   - capturedAt: CLOCK_MONOTONIC, in nanoseconds, as `now`.
  mutating func begin(_ byteCount: Int, capturedAt: Int64, now: Int64) {
    start = now
    self.byteCount = byteCount
    if !isIntervalKnown, let lastCapture, capturedAt > lastCapture {
      interval = min(max(capturedAt - lastCapture, 1_000_000), 1_000_000_000)
    }
    lastCapture = capturedAt
    let rest = Double(byteCount - Self.burst)
    guard rest > 0 else {
      rate = 0
      return
    }
    switch setting {
    case .off: rate = 0
    case .on: rate = max(Self.slowest, rest / Double(interval / 2))
    // A tenth of the interval is left for what comes late.
    case .rate(let bits): rate = max(bits / 8e9, rest / (Double(interval) * 0.9))
    }
  }

  /// Frames may have to be spread.
  var isOn: Bool { setting != .off }

  /// The frame in flight is spread.
  var isSpreading: Bool { rate > 0 }

  /// Bytes of the frame's packets, as far as they were known when it began.
  var expectedBytes: Int { byteCount }

  /// When what stands behind so many bytes of the frame may leave: CLOCK_MONOTONIC, in nanoseconds.
  func departure(behind bytes: Int) -> Int64 { start + Int64(Double(max(0, bytes - Self.burst)) / rate) }

  /// How many bytes may have left by now.
  @inline(__always)
  private func allowedBytes(_ now: Int64) -> Int { Self.burst + Int(rate * Double(now - start)) }

  /// How many of the frame's packets may have left by now. A visit that comes late does not make up for it at once.
  /// - Parameter sent: how many left already.
  @inline(__always)
  func allowed(_ batch: borrowing PacketBatch, sent: Int) -> Int {
    guard rate > 0 else { return batch.count }
    let size = max(1, batch.packetSize)
    let step = max(Self.burst, size, Int(2 * rate * Double(Self.tick)))
    let bytes = min(allowedBytes(Clock.monotonic), sent * size + step)
    return bytes >= byteCount ? batch.count : min(batch.count, max(1, bytes / size))
  }

  /// All of the frame may leave.
  mutating func end() { rate = 0 }
}
