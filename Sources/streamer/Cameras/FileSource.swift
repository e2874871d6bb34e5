import LinuxIO
import RTPCore
import V4L2Capture

/// `file:`: JPEGs from a directory or a .mjpeg file, read once and looped.
struct FileSource: FrameSource, ~Copyable {
  let info: SourceInfo
  private var ticker: Ticker
  private let frames: PictureFile

  init(_ path: String, _ request: ModeRequest, log: Log) throws {
    let frames = try PictureFile(path)
    guard let rate = request.rate ?? FrameRate(30) else { throw Failure("file: has no rate") }
    let size = try frames.size(path)
    let others = frames.count(notOf: size)
    if others > 0 {
      log.warning(
        "file:\(path): \(others) of \(frames.count) pictures have another size than \(size), which the SDP says")
    }
    if let asked = request.size, asked != size {
      throw UsageError("--size \(asked): the pictures of file:\(path) have \(size)")
    }
    let ticker = try Ticker(rate)
    // Re-coded, a picture may be larger than it was.
    info = SourceInfo(
      size: size, rate: rate, largestFrame: 2 * frames.largest + (64 << 10),
      description: "\(frames.count) pictures, JPEG \(size) at \(rate) fps")
    self.ticker = ticker
    self.frames = frames
  }

  var number: Int32 { ticker.number }

  var workedThrough: UInt64? { ticker.workedThrough }

  mutating func next() throws -> Frame? {
    guard let (index, time) = ticker.next() else { return nil }
    return frames.lend(index, timestamp: time)
  }
}

/// The pictures of a directory or a file, in memory: a file that changes under a mapping would end the program.
struct PictureFile: ~Copyable {
  private let memory: UnsafeMutableRawPointer
  private let ranges: UnsafeMutableBufferPointer<Range<Int>>

  /// - Parameter path: a directory of .jpg and .jpeg files, a single one, or a .mjpeg file: JPEGs behind each other.
  init(_ path: String) throws {
    var bytes: [UInt8] = []
    var found: [Range<Int>] = []
    if File.kind(of: path) == .directory {
      for name in try File.names(in: path) where Self.isPicture(name) {
        let start = bytes.count
        bytes += try File.read(path + "/" + name, limit: (1 << 30) - bytes.count)
        found.append(start..<bytes.count)
      }
      guard !found.isEmpty else { throw Failure("file:\(path): there is no .jpg or .jpeg in this directory") }
    } else {
      bytes = try File.read(path)
      found = bytes.withUnsafeBytes { JPEGPicture.ranges(in: $0) }
      guard !found.isEmpty else { throw Failure("file:\(path): there is no JPEG in this file") }
    }
    memory = .allocate(byteCount: max(1, bytes.count), alignment: 64)
    UnsafeMutableRawBufferPointer(start: memory, count: bytes.count).copyBytes(from: bytes)
    ranges = .allocate(capacity: found.count)
    _ = ranges.initialize(from: found)
  }

  deinit {
    memory.deallocate()
    ranges.deallocate()
  }

  var count: Int { ranges.count }

  var largest: Int { ranges.reduce(0) { max($0, $1.count) } }

  /// The size of the first picture that has one.
  func size(_ path: String) throws -> FrameSize {
    guard let size = ranges.compactMap({ size(of: $0) }).first else {
      throw Failure("file:\(path): none of its \(count) pictures is a JPEG that says its size")
    }
    return size
  }

  /// How many pictures have another size.
  func count(notOf size: FrameSize) -> Int { ranges.count { self.size(of: $0).map { $0 != size } ?? false } }

  private func size(of range: Range<Int>) -> FrameSize? {
    JPEGHeader.size(of: picture(range)).map { FrameSize(UInt32($0.width), UInt32($0.height)) }
  }

  /// Picture `index` of an endless loop; there is nothing to give back.
  func lend(_ index: UInt64, timestamp: Int64) -> Frame {
    let range = ranges[Int(index % UInt64(ranges.count))]
    return Frame(
      bytes: picture(range), sequence: UInt32(truncatingIfNeeded: index),
      timestamp: timestamp, lender: memory, index: 0
    ) { _, _ in }
  }

  private func picture(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory + range.lowerBound, count: range.count)
  }

  private static func isPicture(_ name: String) -> Bool {
    let name = name.lowercased()
    return name.hasSuffix(".jpg") || name.hasSuffix(".jpeg")
  }
}
