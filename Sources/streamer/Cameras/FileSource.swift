import LinuxIO
import RTPCore
import V4L2Capture

/// `file:`: JPEGs from a directory or a .mjpeg file, read once and looped.
struct FileSource: ~Copyable {
  let info: SourceInfo
  private let ticker: Ticker
  private let frames: PictureFile

  init(_ path: String, _ request: ModeRequest, log: Log) throws {
    let frames = try PictureFile(path, log)
    guard let rate = request.rate ?? FrameRate(30) else { throw Failure("file: has no rate") }
    let size = try frames.size(path)
    let others = frames.count(notOf: size)
    if others > 0 {
      log.warning(
        "file:\(path): \(others) of \(frames.count) pictures have another size than \(size): not all players follow")
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

  var fileDescriptor: Int32 { ticker.fileDescriptor }

  var workedThrough: UInt64? { ticker.workedThrough }

  func next() -> Frame? {
    guard let (index, time) = ticker.next() else { return nil }
    return frames.lend(index, timestamp: time)
  }
}

/// The pictures of a directory or a file, in memory: a file that changes under a mapping would end the program.
struct PictureFile: ~Copyable {
  private let memory: UnsafeMutableRawPointer
  private let ranges: UnsafeMutableBufferPointer<Range<Int>>

  /// The most bytes that are taken.
  private static let limit = 1 << 30

  /// - Parameter path: a directory of .jpg and .jpeg files, a single one, or a .mjpeg file: JPEGs one after the other.
  init(_ path: String, _ log: Log) throws {
    let isFolder = File.kind(of: path) == .directory
    let files = isFolder ? try Self.pictures(in: path, log) : [(path: path, size: try File.size(path))]
    let (memory, read) = try Self.read(files, of: path)
    let bytes = UnsafeRawBufferPointer(start: memory, count: read.last?.upperBound ?? 0)
    // What is called a picture is one frame, as of a camera: what else is in the file is part of that.
    let found = isFolder || Self.isPicture(path) ? read : JPEGExtent.ranges(in: bytes)
    guard !found.isEmpty else {
      memory.deallocate()
      throw Failure("file:\(path): there is no JPEG in this file")
    }
    self.memory = memory
    ranges = .allocate(capacity: found.count)
    _ = ranges.initialize(from: found)
  }

  /// Reads files into memory of their size.
  /// - Returns: the memory, which the caller frees, and where each file's bytes are in it.
  private static func read(
    _ files: [(path: String, size: Int)], of path: String
  ) throws -> (memory: UnsafeMutableRawPointer, ranges: [Range<Int>]) {
    let size = files.reduce(0) { $0 + min(limit, $1.size) }
    guard size < limit else { throw Failure("file:\(path): it has more than \(limit >> 20) MiB") }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, size), alignment: 64)
    var ranges: [Range<Int>] = []
    do {
      var start = 0
      for file in files {
        let room = UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + file.size])
        // It may have become shorter since.
        ranges.append(start..<start + (try File.read(file.path, into: room)))
        start += file.size
      }
    } catch {
      memory.deallocate()
      throw error
    }
    guard let address = memory.baseAddress else { throw Failure("file:\(path): there is no memory for it") }
    return (address, ranges)
  }

  /// The pictures of a folder, and their sizes; what is no file that can be read is skipped, and reported.
  private static func pictures(in folder: String, _ log: Log) throws -> [(path: String, size: Int)] {
    var files: [(path: String, size: Int)] = []
    var skipped: [SystemCallError] = []
    var unnamed: [String] = []
    let names = try File.names(in: folder) { if isPicture(String($0.quoted.dropLast())) { unnamed.append($0.quoted) } }
    for name in names where isPicture(name) {
      let path = folder + "/" + name
      do throws(SystemCallError) {
        files.append((path, try File.size(path)))
      } catch { skipped.append(error) }
    }
    if let first = skipped.first {
      log.warning("file:\(folder): \(skipped.count) of its \(files.count + skipped.count) pictures skipped: \(first)")
    }
    if !unnamed.isEmpty {
      let first = unnamed.sorted().prefix(10).joined(separator: ", ")
      log.warning(
        "file:\(folder): \(unnamed.count) pictures skipped, as their names are not valid UTF-8: \(first)"
          + (unnamed.count > 10 ? " and others" : "") + "; rename them ('mv')")
    }
    guard !files.isEmpty else {
      let which = skipped.isEmpty && unnamed.isEmpty ? "" : " that can be read"
      throw Failure("file:\(folder): there is no .jpg or .jpeg file in this directory\(which)")
    }
    return files
  }

  deinit {
    memory.deallocate()
    ranges.deallocate()
  }

  var count: Int { ranges.count }

  var largest: Int { ranges.reduce(0) { max($0, $1.count) } }

  /// The size of the first picture that has one.
  func size(_ path: String) throws -> FrameSize {
    for range in ranges {
      if let size = size(of: range) { return size }
    }
    throw Failure("file:\(path): none of its \(count) pictures is a JPEG that says its size")
  }

  /// How many pictures have another size.
  func count(notOf size: FrameSize) -> Int { ranges.count { self.size(of: $0).map { $0 != size } ?? false } }

  private func size(of range: Range<Int>) -> FrameSize? {
    guard let (width, height) = JPEGExtent.size(of: picture(range)) else { return nil }
    return FrameSize(UInt32(width), UInt32(height))
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
