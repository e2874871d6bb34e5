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

  /// Fill bytes before a marker, tables joined in one segment, comments, another order: all legal.
  @Test func readsOddButLegalHeaders() throws {
    let expected = try header(jpeg).get()
    func same(_ bytes: [UInt8], _ comment: Comment) throws {
      let read = try header(bytes).get()
      #expect(read.tables == expected.tables && read.width == expected.width, comment)
      #expect(Array(bytes[read.scanOffset...]) == Samples.scan(jpeg), comment)
    }
    try same(Samples.edit(jpeg) { segments, _ in segments.removeAll { $0.marker == 0xC4 } }, "no DHT")
    try same(
      Samples.edit(jpeg) { segments, _ in
        let joined = segments.filter { $0.marker == 0xDB }.flatMap(\.body)
        segments.removeAll { $0.marker == 0xDB }
        segments.append((0xDB, joined))
      }, "one DQT of both tables, behind SOF")
    try same(
      Samples.edit(jpeg) { segments, _ in
        let joined = segments.filter { $0.marker == 0xC4 }.flatMap(\.body)
        segments.removeAll { $0.marker == 0xC4 }
        segments.insert((0xC4, joined), at: 0)
      }, "one DHT of all tables, at the beginning")
    try same([0xFF, 0xD8, 0xFF, 0xFF, 0xFF] + jpeg.dropFirst(2), "fill bytes")
    try same(Samples.edit(jpeg) { segments, _ in segments.insert((0xFE, Array("hello".utf8)), at: 1) }, "comment")
    try same(
      Samples.edit(jpeg) { segments, _ in segments.insert((0xE1, Array(jpeg.prefix(500))), at: 0) },
      "a thumbnail in EXIF")
  }

  @Test func normalisesTables() throws {
    let expected = try header(jpeg).get().tables
    let one = Samples.edit(jpeg) { segments, _ in
      segments.removeAll { $0.marker == 0xDB && $0.body[0] == 1 }
      for index in segments.indices where segments[index].marker == 0xC0 {
        for component in 0..<3 { segments[index].body[8 + 3 * component] = 0 }
      }
    }
    #expect(try header(one).get().tables == QuantizationTables(luma: expected.luma, chroma: expected.luma))
    func three(_ change: UInt8) -> [UInt8] {
      Samples.edit(jpeg) { segments, _ in
        var third = segments.first { $0.marker == 0xDB && $0.body[0] == 1 }?.body ?? []
        third[0] = 2
        third[64] &+= change
        segments.insert((0xDB, third), at: 0)
        for index in segments.indices where segments[index].marker == 0xC0 { segments[index].body[14] = 2 }
      }
    }
    #expect(try header(three(0)).get().tables == expected)
    #expect(header(three(1)) == .failure(.unsupported(.tables)))
    func wide(_ high: UInt8) -> [UInt8] {
      Samples.edit(jpeg) { segments, _ in
        for index in segments.indices where segments[index].marker == 0xDB {
          let body = segments[index].body
          segments[index].body = [body[0] | 0x10] + body.dropFirst().flatMap { [0, $0] }
          segments[index].body[127] = high
        }
      }
    }
    #expect(try header(wide(0)).get().tables == expected)
    #expect(header(wide(1)) == .failure(.unsupported(.tables)))
  }

  /// Each thing that RFC 2435 can't say is refused by its name.
  @Test func refusesWhatCannotBeSaid() throws {
    func changed(_ marker: UInt8, _ change: @escaping (inout [UInt8]) -> Void) -> Result<JPEGHeader, JPEGFault> {
      header(
        Samples.edit(jpeg) { segments, _ in
          for index in segments.indices where segments[index].marker == marker { change(&segments[index].body) }
        })
    }
    func renamed(_ marker: UInt8) -> Result<JPEGHeader, JPEGFault> {
      header(
        Samples.edit(jpeg) { segments, _ in
          for index in segments.indices where segments[index].marker == 0xC0 { segments[index].marker = marker }
        })
    }
    for marker: UInt8 in [0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA] {
      #expect(renamed(marker) == .failure(.unsupported(.coding)))
    }
    #expect(changed(0xC0) { $0[0] = 12 } == .failure(.unsupported(.precision)))
    #expect(changed(0xC0) { $0[5] = 1 } == .failure(.unsupported(.components)))
    #expect(changed(0xC0) { $0[7] = 0x11 } == .failure(.unsupported(.sampling)))
    #expect(changed(0xC0) { $0[10] = 0x12 } == .failure(.unsupported(.sampling)))
    #expect(changed(0xC0) { $0[1...2] = [0, 0] } == .failure(.unsupported(.coding)))
    #expect(changed(0xC0) { $0[8] = 3 } == .failure(.unsupported(.tables)))
    #expect(changed(0xC4) { $0[$0.count - 1] ^= 1 } == .failure(.unsupported(.huffman)))
    #expect(changed(0xC4) { $0[1] = 255 } == .failure(.noSOS))
    let otherTables = Samples.edit(jpeg) { _, rest in rest[8] = 0x00 }
    #expect(header(otherTables) == .failure(.unsupported(.huffman)))
    let oneComponent = Samples.edit(jpeg) { _, rest in rest = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0] + rest[14...] }
    #expect(header(oneComponent) == .failure(.unsupported(.scans)))
    let restart = Samples.edit(jpeg) { segments, _ in segments.append((0xDD, [0, 10])) }
    #expect(try header(restart).get().restartInterval == 10)
    #expect(header([]) == .failure(.empty))
    #expect(header([0xFF]) == .failure(.noSOI))
    #expect(header(Array(jpeg.dropFirst())) == .failure(.noSOI))
    #expect(header([0xFF, 0xD8, 0xFF, 0xD9]) == .failure(.noSOS))
    #expect(header([0xFF, 0xD8, 0x12, 0x34]) == .failure(.noSOS))
    #expect(header([0xFF, 0xD8]) == .failure(.truncated))
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

  @Test func survivesNoise() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let noise = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      _ = header([0xFF, 0xD8, 0xFF] + noise)
      _ = noise.withUnsafeBytes { JPEGPicture.ranges(in: $0) }
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

  @Test func endsAtTheFirstEOI() throws {
    #expect(try scanRange(jpeg).get() == start..<jpeg.count)
    #expect(try scanRange(jpeg + [UInt8](repeating: 0, count: 2048)).get() == start..<jpeg.count)
    // An EOI in the junk does not win, nor one at its end, as an older frame's rest has it.
    #expect(try scanRange(jpeg + [1, 2, 0xFF, 0xD9, 3]).get() == start..<jpeg.count)
    #expect(try scanRange(jpeg + jpeg.suffix(500)).get() == start..<jpeg.count)
  }

  /// Wherever the EOI stands against the words in which it is looked for.
  @Test func findsAnEOIAtEveryAlignment() throws {
    for length in 0..<40 {
      let scan = [UInt8](repeating: 0x55, count: length)
      for junk in [[0], [0, 0], [UInt8](repeating: 7, count: 20)] {
        let bytes = Array(jpeg.prefix(start)) + scan + [0xFF, 0xD9] as [UInt8] + junk
        #expect(try scanRange(bytes).get() == start..<start + length + 2)
      }
    }
  }

  @Test func isCutShort() {
    #expect(scanRange(Array(jpeg.dropLast())) == .failure(.noEOI))
    #expect(scanRange(Array(jpeg.prefix(jpeg.count / 2))) == .failure(.noEOI))
    #expect(scanRange(Array(jpeg.prefix(start))) == .failure(.noEOI))
    // The next picture's markers are none of this one's.
    #expect(scanRange(Array(jpeg.dropLast(100)) + jpeg) == .failure(.noEOI))
    // Stuffed bytes and restart markers are no end.
    let head = Array(jpeg.prefix(start))
    #expect(scanRange(head + [0xFF, 0x00, 0xFF, 0xD0, 0xFF]) == .failure(.noEOI))
  }

  @Test func findsThePicturesOfAFile() throws {
    let small = try Samples.jpeg(width: 32, height: 32)
    let cut = Array(small.dropLast(50))
    let parts = [[0, 1], jpeg, [9, 9, 9], small, cut, jpeg, Array(small.prefix(30)), small, cut]
    let file = parts.flatMap { $0 }
    let ranges = file.withUnsafeBytes { JPEGPicture.ranges(in: $0) }
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

  /// What is there of a cut frame, without half a marker.
  @Test func aCutFrameIsRepaired() throws {
    for (tail, kept) in [([UInt8](), 0), ([0x12], 1), ([0x12, 0xFF], 1), ([0xFF, 0x00], 2)] {
      let bytes = jpeg.dropLast(10) + tail
      try Array(bytes).withUnsafeBytes { bytes in
        let picture = try read(bytes, repairs: true)
        #expect(picture.isRepaired && picture.scan.count == jpeg.count - 10 - start + kept)
      }
    }
    let isRepaired = try jpeg.withUnsafeBytes { try read($0, repairs: true).isRepaired }
    #expect(!isRepaired)
    #expect(throws: JPEGFault.noEOI) { try jpeg.prefix(start).withUnsafeBytes { _ = try read($0, repairs: true) } }
    #expect(throws: JPEGFault.truncated) { try jpeg.prefix(50).withUnsafeBytes { _ = try read($0, repairs: true) } }
  }
}
