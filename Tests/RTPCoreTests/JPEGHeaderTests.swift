import JPEGCodec
import Testing

@testable import RTPCore

@Suite struct JPEGHeaderTests {
  private let jpeg: [UInt8]
  init() throws { jpeg = try Samples.jpeg() }

  @Test func readsAnEncodersHeader() throws {
    let read = try header(jpeg).get()
    #expect([read.width, read.height] == [160, 128])
    #expect(read.sampling == .yuv420)
    #expect(read.restartInterval == 0)
    let tables = Samples.split(jpeg).segments.filter { $0.marker == 0xDB }.map(\.body)
    #expect(
      tables.map { Array($0.dropFirst()) }
        == [read.tables.luma, read.tables.chroma].map { t in t.indices.map { t[$0] } })
    #expect(read.scanOffset == jpeg.count - Samples.scan(jpeg).count)
  }

  /// Cut anywhere before its scan it is truncated; with any one byte changed it is refused or read, never a trap.
  @Test func survivesEveryCutAndChange() throws {
    let end = try header(jpeg).get().scanOffset
    for length in 2..<end { #expect(header(Array(jpeg.prefix(length))) == .failure(.truncated), "cut at \(length)") }
    var changed = jpeg
    for index in 0..<end {
      for value: UInt8 in [0x00, 0x01, 0x7F, 0xFF, 0xD9] {
        changed[index] = value
        _ = header(changed)
        _ = scanRange(changed)
      }
      changed[index] = jpeg[index]
    }
  }
}

@Suite struct JPEGReaderTests {
  private let jpeg: [UInt8]
  private let start: Int
  init() throws {
    jpeg = try Samples.jpeg()
    start = jpeg.count - Samples.scan(jpeg).count
  }

  /// Wherever the EOI stands against the words in which it is searched for.
  @Test func findsAnEOIAtEveryAlignment() throws {
    for length in 280..<320 {
      let scan = [UInt8](repeating: 0x55, count: length)
      for junk in [[0], [0, 0], [UInt8](repeating: 7, count: 20)] {
        let bytes = Array(jpeg.prefix(start)) + scan + [0xFF, 0xD9] as [UInt8] + junk
        #expect(try scanRange(bytes).get() == start..<start + length + 2)
      }
    }
  }

  /// What looks like a marker of a reserved code ends no scan of restart intervals, wherever it stands and however it comes.
  @Test func aDamagedPairOfBytes() throws {
    let restarted = Samples.edit(jpeg) { segments, _ in segments.append((0xDD, [0, 4])) }
    let header = restarted.count - Samples.scan(restarted).count
    for place in [header, header + 63, header + 64, header + 500, restarted.count - 4] {
      for code: UInt8 in [0x01, 0x02, 0x42, 0xBF] {
        var frame = restarted
        (frame[place], frame[place + 1]) = (0xFF, code)
        #expect(try scanRange(frame).get() == header..<frame.count)
        #expect(scanRange(frame.dropLast(2)) == .failure(.noEOI))
      }
      for code: UInt8 in [0xC0, 0xC4, 0xDB, 0xE5, 0xFE] {
        var frame = restarted
        (frame[place], frame[place + 1]) = (0xFF, code)
        if place < frame.count - 64 {
          #expect(scanRange(frame) == .failure(place < header + 280 ? .noEOI : .interruptedScan))
        }
      }
    }
    var frame = jpeg
    (frame[start + 500], frame[start + 501]) = (0xFF, 0x42)
    #expect(scanRange(frame) == .failure(.interruptedScan))
    // Another picture's beginning interrupts nothing: this one ends there.
    frame[start + 501] = 0xD8
    #expect(scanRange(frame) == .failure(.noEOI))
  }

  /// Whatever is in them, seven eighths of a picture's MCUs take so many bytes.
  @Test(arguments: [JPEGHeader.Sampling.yuv420, .yuv422])
  func aScanThatIsTooShort(sampling: JPEGHeader.Sampling) throws {
    let count = (sampling == .yuv420 ? 80 * 4 : 160 * 5 / 2) * 7 / 8
    let whole = try Samples.jpeg(width: 160, height: 128, sampling: sampling)
    let header = whole.count - Samples.scan(whole).count
    for length in [0, 1, count - 3, count - 2, count, count + 100] {
      let bytes = Array(whole.prefix(header)) + [UInt8](repeating: 0x55, count: length) + [0xFF, 0xD9]
      let isCut = length + 2 < count
      #expect(scanRange(bytes) == (isCut ? .failure(.noEOI) : .success(header..<bytes.count)), "\(length) bytes")
      let isRepaired = try bytes.withUnsafeBytes { try read($0, repairs: true).isRepaired }
      #expect(isRepaired == isCut)
    }
  }

  /// No picture takes fewer bytes than one of a single colour, which is whole.
  @Test func onePlainColourIsWhole() throws {
    let grey = PlanarPicture(width: 160, height: 128)
    for index in 0..<3 {
      let plane = grey.plane(index)
      for offset in 0..<plane.width * plane.height { plane.start[offset] = 128 }
    }
    let jpeg = try grey.jpeg(quality: 1)
    let scan = Samples.scan(jpeg).count
    #expect(scan == 80 * 4 + 2)
    #expect(try scanRange(jpeg).get() == jpeg.count - scan..<jpeg.count)
  }

  @Test func findsThePicturesOfAFile() throws {
    let small = try Samples.jpeg(width: 32, height: 32)
    let cut = Array(small.dropLast(50))
    let parts = [[0, 1], jpeg, [9, 9, 9], small, cut, jpeg, Array(small.prefix(30)), small, cut]
    let file = parts.flatMap { $0 }
    let ranges = file.withUnsafeBytes { JPEGExtent.ranges(in: $0) }
    #expect(ranges.map { Array(file[$0]) } == [jpeg, small, cut, jpeg, Array(small.prefix(30)), small, cut])
  }

  /// A header that is repeated is not parsed again, and one that differs in any byte is.
  @Test func aRepeatedHeaderIsCompared() throws {
    var reader = JPEGReader()
    let other = try Samples.jpeg(width: 160, height: 128, quality: 30)
    for bytes in [jpeg, jpeg, other, jpeg + [0], other] {
      let picture = try bytes.withUnsafeBytes { try reader.read($0).header }
      let fresh = try header(bytes).get()
      #expect(picture == fresh)
    }
    // Whatever is changed in the second frame is seen.
    for index in 0..<start {
      var changed = jpeg
      changed[index] ^= 0xFF
      let fresh = header(changed)
      changed.withUnsafeBytes { bytes in
        var reader = JPEGReader()
        _ = jpeg.withUnsafeBytes { try? reader.read($0) }
        do throws(JPEGFault) {
          let picture = try reader.read(bytes)
          #expect(fresh == .success(picture.header), "byte \(index)")
        } catch {
          if case .failure(let fault) = fresh { #expect(fault == error, "byte \(index)") }
        }
      }
    }
    // A shorter frame is not compared past its end.
    #expect(throws: JPEGFault.truncated) { try jpeg.prefix(start - 1).withUnsafeBytes { _ = try reader.read($0) } }
  }
}
