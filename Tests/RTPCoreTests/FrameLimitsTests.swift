import Testing

@testable import RTPCore

/// Where a frame's picture begins and ends in what a camera gives.
@Suite struct FrameLimitsTests {
  private let jpeg: [UInt8]
  private let small: [UInt8]

  init() throws {
    jpeg = try Samples.jpeg()
    small = try Samples.jpeg(width: 32, height: 32)
  }

  /// Where the picture of a frame lies, or why there is none.
  private func picture(_ frame: [UInt8], _ reader: inout JPEGReader) -> Result<
    [UInt8], JPEGFault
  > {
    frame.withUnsafeBytes { bytes in
      do throws(JPEGFault) {
        let picture = try reader.read(bytes)
        let start = picture.header.start
        return .success(Array(bytes[start..<picture.header.scanOffset + picture.scan.count]))
      } catch { return .failure(error) }
    }
  }

  private func picture(_ frame: [UInt8]) -> Result<[UInt8], JPEGFault> {
    var reader = JPEGReader()
    return picture(frame, &reader)
  }

  /// A header of 16 frames that are good makes nobody careless: the first EOI ends the picture, and the beginning of a lost
  /// frame in front is skipped, whatever the sizes are.
  @Test func aGoodCameraIsLookedAtAsWell() throws {
    var reader = JPEGReader()
    let header = jpeg.count - Samples.scan(jpeg).count
    for count in 0..<40 {
      let frame = Array(jpeg.dropLast(2)) + [UInt8(count), 0xFF, 0xD9]
      #expect(picture(frame, &reader) == .success(frame))
    }
    for lost in [header + 10, header + 1000, jpeg.count / 2] {
      #expect(picture(Array(jpeg.prefix(lost)) + small, &reader) == .success(small))
      #expect(picture(Array(jpeg.prefix(lost)) + jpeg, &reader) == .success(jpeg))
    }
    for junk in [Array(jpeg.suffix(300)), [0, 0, 0], jpeg, [UInt8](repeating: 0, count: 500) + [0xFF, 0xD9]] {
      #expect(picture(jpeg + junk, &reader) == .success(jpeg))
    }
  }

  /// EXIF with a whole picture in it.
  private func exif(_ size: Int = 0) -> [UInt8] {
    let body = Array("Exif".utf8) + [0, 0] + small + [UInt8](repeating: 0, count: size)
    return [0xFF, 0xE1, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 0xFF)] + body
  }

  @Test func aThumbnailIsNoPicture() throws {
    let whole = Array(jpeg.prefix(20)) + exif() + jpeg[20...]
    #expect(picture(whole) == .success(whole))
    let end = 20 + exif().count
    let cut = whole.count * 3 / 4
    let head = Array(whole.prefix(end))
    let rest = Array(whole[end...])
    let oneAfter: [UInt8] = head + [0xFF, 0] + rest
    let another: [UInt8] = head + [0] + rest
    let frames: [[UInt8]] = [
      head, head + [UInt8](repeating: 0, count: 500), Array(oneAfter.prefix(cut)), Array(another.prefix(cut)),
      Array(whole.prefix(cut)),
    ]
    for frame in frames {
      guard case .failure = picture(frame) else {
        Issue.record("a thumbnail was taken for the picture")
        continue
      }
    }
    // A lost frame that ends in its EXIF, after the thumbnail, in front of a whole one.
    let lost = Array((Array(jpeg.prefix(20)) + exif(600)).prefix(20 + exif().count + 300))
    #expect(picture(lost + jpeg) == .success(jpeg))
    #expect(picture(lost + whole) == .success(whole))
  }

  @Test func manyBeginningsAreSkipped() throws {
    let soi: [UInt8] = [0xFF, 0xD8]
    let header = jpeg.count - Samples.scan(jpeg).count
    for front in [soi, Array(jpeg.prefix(header + 20)), Array(jpeg.prefix(100))] {
      for count in [1, 17, 40] {
        let frame = [[UInt8]](repeating: front, count: count).flatMap { $0 } + jpeg
        #expect(picture(frame) == .success(jpeg))
      }
    }
    #expect(picture([0xFF] + soi + [0, 0] + jpeg[2...]) == .success(soi + [0, 0] + jpeg[2...]))
  }

  private func field(_ polarity: UInt8, of jpeg: [UInt8]) -> [UInt8] {
    var field = Array(jpeg.prefix(2))
    field += [0xFF, 0xE0, 0, 16] as [UInt8]
    field += Array("AVI1".utf8)
    field += [polarity, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    field += jpeg[20...]
    return field
  }

  /// Half a picture is not sent as one, and two moments are not put together.
  @Test func fieldsAreFound() throws {
    let (upper, lower) = (field(1, of: jpeg), field(2, of: jpeg))
    let dnl = Array(upper.dropLast(2)) + [0xFF, 0xDC, 0, 4, 0, 48, 0xFF, 0xD9]
    let cut = Array(lower.dropLast(2))
    let half = Array(lower.prefix(lower.count / 2))
    var frames: [[UInt8]] = [upper + lower, lower + upper, upper + [0, 0, 0] + lower, dnl + lower]
    frames += [upper + cut, upper + half]
    frames.append(upper + [0xFF, 0xD8] + lower)
    frames.append(Array(upper.prefix(900)) + upper + lower)
    frames += [Array(upper.dropLast(2)) + lower, Array(upper.prefix(upper.count / 2)) + lower]
    for frame in frames {
      #expect(picture(frame) == .failure(.unsupported(.fields)))
    }
    for (one, other) in [(1, 1), (2, 2), (0, 0), (0, 2)] as [(UInt8, UInt8)] {
      let first = field(one, of: jpeg)
      #expect(picture(first + field(other, of: jpeg)) == .success(first))
    }
    #expect(picture(upper) == .success(upper))
    #expect(picture(upper + field(2, of: small)) == .success(upper))
  }

  /// What is sent of a frame has the height of both fields, or of the one that is there.
  @Test func theSizeIsThatOfWhatIsSent() {
    func size(_ frame: [UInt8]) -> [Int]? {
      frame.withUnsafeBytes { JPEGExtent.size(of: $0).map { [$0.width, $0.height] } }
    }
    let (upper, lower) = (field(1, of: jpeg), field(2, of: jpeg))
    #expect(size(upper + lower) == [160, 256] && size(lower + upper) == [160, 256])
    for frame in [jpeg, upper, upper + upper, lower + lower, upper + field(2, of: small), jpeg + jpeg] {
      #expect(size(frame) == [160, 128])
    }
    #expect(size(Array(jpeg.prefix(100))) == nil)
  }

  /// A field whose other one is not there is marked as such, early or not.
  @Test func aFieldByItselfIsMarked() throws {
    for (polarity, isField) in [(0, false), (1, true), (2, true), (3, false)] as [(UInt8, Bool)] {
      for frame in [field(polarity, of: jpeg), field(polarity, of: jpeg) + field(polarity, of: jpeg)] {
        let picture = try frame.withUnsafeBytes { try read($0).isField }
        #expect(picture == isField, "polarity \(polarity)")
      }
    }
  }

  /// Why a picture that RTP can't carry is not whole: the header is at fault only where it is.
  @Test func whyItIsNotWhole() {
    func fault(_ frame: [UInt8]) -> JPEGFault? {
      frame.withUnsafeBytes { bytes in
        let extent = JPEGExtent(bytes, at: 0)
        return extent.range == nil ? extent.fault : nil
      }
    }
    let (segments, rest) = Samples.split(jpeg)
    let header = Samples.join(segments, [])
    #expect(fault(jpeg) == nil)
    #expect(fault(Array(jpeg.dropLast(2))) == .noEOI)
    #expect(fault(Array(jpeg.dropLast(2)) + jpeg) == .noEOI)
    #expect(fault(header + [0xFF, 0xD9]) == .noSOS)
    #expect(fault(Array(header.dropLast(9))) == .truncated)
    #expect(fault(header + jpeg) == .truncated)
    for marker: UInt8 in [0xC0, 0xC2] {
      let doubled = Samples.edit(jpeg) { segments, _ in
        segments += segments.filter { $0.marker == 0xC0 }.map { (marker, $0.body) }
      }
      #expect(fault(doubled) == .malformedHeader)
      #expect(picture(doubled) == .failure(.malformedHeader))
    }
    #expect(fault(Samples.join(segments.filter { $0.marker != 0xC0 }, rest)) == .malformedHeader)
    // What looks like a frame header within the scan is damaged data.
    var damaged = jpeg
    for (place, byte) in zip((jpeg.count - 900)..., [0xFF, 0xC0, 0, 3] as [UInt8]) { damaged[place] = byte }
    #expect(fault(damaged) == .noEOI)
  }

  /// A table may have the bytes of an SOI.
  @Test func aTableIsATable() throws {
    var frame = jpeg
    for (offset, byte) in zip(40..., [255, 216, 255, 255] as [UInt8]) { frame[offset] = byte }
    frame.insert(contentsOf: [0xFF, 0], at: 20 + 69)
    #expect(picture(frame) == .success(frame))
  }

  @Test(
    arguments: [
      [0xFF, 0xDC, 0, 4, 0, 48, 0, 0], [0xFF, 0xDC, 0, 4, 0, 48, 0xFF, 0], [0xFF, 0xFE, 0, 4, 1, 2, 3, 4],
      [1, 2, 0xFF, 5, 3, 4],
    ] as [[UInt8]])
  func strayBytesBeforeTheEnd(bytes: [UInt8]) throws {
    let scan = bytes.firstIndex(of: 0xFF) ?? 0
    #expect(picture(jpeg.dropLast(2) + bytes + [0xFF, 0xD9]) == .success(jpeg.dropLast(2) + bytes.prefix(scan)))
  }
}
