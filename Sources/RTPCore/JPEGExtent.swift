/// Where a JPEG of any kind lies in a camera's buffer or in a file, and what its header says about it.
public struct JPEGExtent: Equatable, Sendable {
  enum End: Equatable, Sendable {
    /// A whole picture: after its EOI.
    case eoi(Int)
    /// Another picture's SOI where a marker of this one was expected.
    case soi(Int)
    /// No EOI. Another picture can begin here or later.
    case cut(Int)
  }

  /// Where its SOI is.
  public let start: Int
  private(set) var end = End.cut(0)
  /// Pixels; 0 where its header does not have it.
  public private(set) var width: UInt16 = 0
  /// Pixels.
  public private(set) var height: UInt16 = 0
  /// Which field it is, by an APP0 "AVI1": 0 none, 1 the field of the upper lines, 2 that of the lower ones. nil: there is
  /// no such segment.
  private(set) var polarity: UInt8?
  /// The segments that have room for a picture: APPn and comments.
  private var roomy: [Range<Int>] = []
  /// Why it is not whole, where `range` is nil.
  public private(set) var fault = JPEGFault.noEOI
  private var hasSegments = false
  private var hasFrame = false
  private var hasScan = false

  /// No picture has fewer bytes.
  private static let leastThumbnail = 64

  /// Follows segments and scans from an SOI on.
  init(_ bytes: UnsafeRawBufferPointer, at start: Int) {
    self.start = start
    var segments = JPEGSegments(bytes, at: start + 2)
    // From the first segment on that no marker follows, the lengths can't be relied on.
    var firstDoubtful: Int?
    while true {
      let item: JPEGSegments.Item
      do throws(JPEGFault) { item = try segments.next() } catch {
        end = .cut(firstDoubtful ?? Self.resume(bytes, after: segments))
        fault = hasScan ? .noEOI : .truncated
        return
      }
      switch item {
      case .soi(let place):
        end = .soi(place)
        fault = hasScan ? .noEOI : .truncated
      case .eoi(let place): finish(at: place, firstDoubtful)
      case .segment(0xDA, _):
        hasScan = true
        switch ScanEnd(of: bytes, from: segments.offset) {
        case .eoi(let place): finish(at: place, firstDoubtful)
        case .cut(let place):
          if firstDoubtful == nil { firstDoubtful = segments.offset }
          segments = JPEGSegments(bytes, at: place)
          continue
        }
      case .segment(let marker, let body):
        hasSegments = true
        if marker > 0xE0, body.remaining > Self.leastThumbnail, roomy.count < 64 {
          roomy.append(segments.start..<segments.offset)
        }
        guard read(marker, body) else {
          end = .cut(firstDoubtful ?? segments.start)
          fault = hasScan ? .noEOI : .malformedHeader
          return
        }
        if firstDoubtful == nil, !segments.isAtMarker { firstDoubtful = segments.start + 2 }
        continue
      }
      return
    }
  }

  /// It ends with an EOI: whole, where it has a frame header and a scan.
  private mutating func finish(at place: Int, _ firstDoubtful: Int?) {
    if hasScan && hasFrame {
      end = .eoi(place)
    } else {
      end = .cut(firstDoubtful ?? place)
      fault = hasScan ? .malformedHeader : .noSOS
    }
  }

  /// Where to search for another picture when the bytes end within a segment: not in a thumbnail that was cut.
  private static func resume(_ bytes: UnsafeRawBufferPointer, after segments: JPEGSegments) -> Int {
    var reader = ByteReader(bytes, at: segments.start + 1)
    guard let marker = reader.byte(), marker > 0xE0, let length = reader.word(), length != 0xFFD8 else {
      return segments.start + 2
    }
    return bytes.count
  }

  /// - Returns: false where it is another picture's frame header.
  private mutating func read(_ marker: UInt8, _ body: ByteReader) -> Bool {
    var body = body
    switch marker {
    // SOF0 to SOF15, without DHT, JPG and DAC.
    case 0xC0...0xCF where marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
      guard !hasFrame else { return false }
      hasFrame = true
      guard body.byte() != nil, let height = body.word(), let width = body.word() else { return true }
      (self.width, self.height) = (width, height)
    case 0xE0: if let polarity = Self.polarity(body) { self.polarity = polarity }
    default: break
    }
    return true
  }

  /// By its AVI1 segment it is one field of an interlaced frame: the upper or the lower one.
  public var isField: Bool { polarity == 1 || polarity == 2 }

  /// The polarity in an APP0 segment's body; nil where it is not of that kind ("AVI1", of the AVI format's Motion JPEG).
  static func polarity(_ body: ByteReader) -> UInt8? {
    var body = body
    guard body.doubleWord() == 0x4156_4931 else { return nil }
    return body.byte()
  }

  /// Where it lies, SOI and EOI with it; nil where it is not whole.
  public var range: Range<Int>? { if case .eoi(let end) = end { start..<end } else { nil } }

  /// How many; 0 where its size is not known.
  public var pixels: Int { Int(width) * Int(height) }
}

extension JPEGExtent {
  /// Beginnings of pictures that end within their header or scan: so many are tried in one frame, since each is followed
  /// to its end.
  private static let mostBeginnings = 16

  /// Follows the pictures in a frame, whole or not, one after the other, until `isWanted`.
  private static func follow(
    _ frame: UnsafeRawBufferPointer, until isWanted: (JPEGExtent) -> Bool
  ) {
    var offset = 0
    var cuts = 0
    while cuts < mostBeginnings, let start = firstSOI(in: frame, from: offset) {
      let extent = JPEGExtent(frame, at: start)
      if isWanted(extent) { return }
      switch extent.end {
      case .eoi(let end): offset = end
      case .soi(let next): offset = next
      case .cut(let next):
        offset = extent.pastThumbnails(in: frame, from: max(next, start + 2))
        cuts += 1
      }
    }
  }

  /// Where another picture may begin after this one, which is cut: not where a thumbnail does, which lies within a segment
  /// of it.
  private func pastThumbnails(in frame: UnsafeRawBufferPointer, from offset: Int) -> Int {
    var offset = offset
    for range in roomy {
      while let soi = JPEGSegments.soi(in: frame, from: offset), range.contains(soi) {
        guard case .eoi(let end) = JPEGExtent(frame, at: soi).end, end <= range.upperBound else { return soi }
        offset = end
      }
    }
    return offset
  }

  /// The picture of a frame: the first whole one, else the one of which most is there. What comes before it is the
  /// beginning of a frame that was lost, or no picture at all.
  public static func first(in frame: UnsafeRawBufferPointer) -> JPEGExtent? {
    var best: JPEGExtent?
    follow(frame) { extent in
      if extent.isBetter(than: best, frame) { best = extent }
      return extent.range != nil
    }
    return best
  }

  /// - Parameter other: a picture before it in the frame.
  private func isBetter(than other: JPEGExtent?, _ frame: UnsafeRawBufferPointer) -> Bool {
    guard let other else { return true }
    guard other.range == nil else { return false }
    return range != nil || limit(frame) - start > other.limit(frame) - other.start
  }

  /// Where what is there of it ends at the latest.
  private func limit(_ frame: UnsafeRawBufferPointer) -> Int {
    switch end {
    case .eoi(let end), .soi(let end): end
    case .cut: frame.count
    }
  }

  /// The two fields of an interlaced frame, in their order in the buffer.
  public typealias Fields = (first: JPEGExtent, second: JPEGExtent)

  /// The picture of a frame, as `first` finds it, and the fields of an interlaced one: pictures of one size one after the
  /// other, marked as an upper and a lower field of the AVI format's Motion JPEG. Either may be cut.
  public static func contents(of frame: UnsafeRawBufferPointer) -> (picture: JPEGExtent?, fields: Fields?) {
    var best: JPEGExtent?
    var previous: JPEGExtent?
    var fields: Fields?
    follow(frame) { extent in
      defer { if extent.hasSegments { previous = extent } }
      if extent.isBetter(than: best, frame) { best = extent }
      guard let previous, previous.formsFrame(with: extent) else { return false }
      let isWhole = previous.range != nil && extent.range != nil
      if fields == nil || isWhole { fields = (previous, extent) }
      return isWhole
    }
    return (best, fields)
  }

  /// The size in pixels of what is sent of a frame: of its picture, or of the one that its fields form; nil where its header
  /// does not have it.
  public static func size(of frame: UnsafeRawBufferPointer) -> (width: Int, height: Int)? {
    let (picture, fields) = contents(of: frame)
    if let (first, second) = fields { return (Int(first.width), Int(first.height) + Int(second.height)) }
    guard let picture, picture.pixels > 0 else { return nil }
    return (Int(picture.width), Int(picture.height))
  }

  /// Whether the two are the fields of one frame.
  private func formsFrame(with other: JPEGExtent) -> Bool {
    guard let polarity, isField, other.polarity == 3 - polarity else { return false }
    return width == other.width && height > 0 && other.height > 0 && abs(Int(other.height) - Int(height)) <= 1
  }

  /// Whether its lines come before those of the other field, which is the later one.
  public func isAbove(_ other: JPEGExtent) -> Bool {
    height == other.height ? polarity == 1 : height > other.height
  }

  /// The bytes of it, to the end of EOI; where that is missing, to where the next picture begins or the frame ends.
  public func bytes(in frame: UnsafeRawBufferPointer, before next: JPEGExtent? = nil) -> UnsafeRawBufferPointer {
    let end = range?.upperBound ?? next?.start ?? limit(frame)
    return UnsafeRawBufferPointer(rebasing: frame[start..<max(start, min(end, frame.count))])
  }

  /// Where a frame's first SOI is: at its beginning whatever follows, else where a marker follows it.
  static func firstSOI(in frame: UnsafeRawBufferPointer, from offset: Int) -> Int? {
    if offset == 0, frame.count >= 2, frame[0] == 0xFF, frame[1] == 0xD8 { return 0 }
    return JPEGSegments.soi(in: frame, from: offset)
  }

  /// The end of the other field, where this is one and the other follows.
  private func endOfOtherField(in file: UnsafeRawBufferPointer, from end: Int) -> Int? {
    guard let polarity, polarity > 0, let start = JPEGSegments.soi(in: file, from: end) else { return nil }
    let other = JPEGExtent(file, at: start)
    return formsFrame(with: other) ? other.range?.upperBound : nil
  }

  /// The JPEGs in a file, of any kind, each from SOI to the end of EOI. What is between them is skipped; one without EOI
  /// goes to the next SOI, or to the end.
  public static func ranges(in file: UnsafeRawBufferPointer) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var offset = 0
    while let start = JPEGSegments.soi(in: file, from: offset) {
      let extent = JPEGExtent(file, at: start)
      switch extent.end {
      case .eoi(let end): offset = extent.endOfOtherField(in: file, from: end) ?? end
      case .soi(let next):
        offset = next
        // Nothing but an SOI before it.
        if !extent.hasSegments { continue }
      case .cut(let next): offset = JPEGSegments.soi(in: file, from: max(next, start + 2)) ?? file.count
      }
      ranges.append(start..<offset)
    }
    return ranges
  }
}
