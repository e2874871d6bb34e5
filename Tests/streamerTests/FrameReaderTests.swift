import JPEGCodec
import RTPCore
import Testing

@testable import streamer

/// What becomes of frames that can't be sent as they are, by the cause that is counted.
@Suite struct FrameReaderTests {
  private struct Outcome: Equatable {
    /// Why there is no picture.
    var cause: DropCause?
    var height: UInt16 = 0
    var isField = false
  }

  private func read(
    _ frame: [UInt8], repairs: Bool = false, recodes: Bool = true
  ) -> Outcome {
    var reader = FrameReader(repairs: repairs, recodes: recodes)
    reader.prepare(interval: 500_000_000)
    return frame.withUnsafeBytes { bytes in
      do throws(DropCause) {
        let picture = try reader.read(bytes, isExact: false)
        return Outcome(height: picture.header.height, isField: picture.isField)
      } catch { return Outcome(cause: error) }
    }
  }

  /// A JPEG with its segments before SOS changed, and what follows them.
  private func edit(_ jpeg: [UInt8], _ change: (UInt8, [UInt8]) -> [(UInt8, [UInt8])]) -> [UInt8] {
    var result: [UInt8] = [0xFF, 0xD8]
    var place = 2
    while jpeg[place + 1] != 0xDA {
      let length = Int(jpeg[place + 2]) << 8 | Int(jpeg[place + 3])
      for (marker, body) in change(jpeg[place + 1], Array(jpeg[place + 4..<place + 2 + length])) {
        result += [0xFF, marker, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 0xFF)] + body
      }
      place += 2 + length
    }
    return result + jpeg[place...]
  }

  /// The same picture as extended sequential JPEG, which RTP can't carry and libjpeg reads.
  private func extended(_ jpeg: [UInt8]) -> [UInt8] { edit(jpeg) { [($0 == 0xC0 ? 0xC1 : $0, $1)] } }

  /// A field of an interlaced frame, by its mark.
  private func field(_ polarity: UInt8, of jpeg: [UInt8]) -> [UInt8] {
    edit(jpeg) { $0 == 0xE0 ? [($0, Array("AVI1".utf8) + [polarity] + [UInt8](repeating: 0, count: 9))] : [($0, $1)] }
  }

  private func isFrame(_ marker: UInt8) -> Bool { marker == 0xC0 || marker == 0xC1 }

  /// An abbreviated JPEG, whose tables came with another one: a receiver has none for it.
  @Test func tablesThatAreMissing() throws {
    let jpeg = try TestJPEG.make()
    for source in [jpeg, extended(jpeg)] {
      #expect(read(edit(source) { $0 == 0xDB ? [] : [($0, $1)] }).cause == .malformedHeader)
    }
  }

  /// Whatever else is odd about a picture, a bad header is what it is dropped for.
  @Test func badHeadersAreDroppedForWhatTheyAre() throws {
    let jpeg = try TestJPEG.make()
    #expect(read(jpeg).cause == nil && read(extended(jpeg)).cause == nil)
    #expect(read(extended(jpeg), recodes: false).cause == .coding)
    for source in [jpeg, extended(jpeg)] {
      let twice = edit(source) { isFrame($0) ? [($0, $1), ($0, $1)] : [($0, $1)] }
      #expect(read(twice).cause == .malformedHeader)
      let scan = try #require(source.indices.first { source[$0] == 0xFF && source[$0 + 1] == 0xDA })
      #expect(read(Array(source[..<scan]) + [0xFF, 0xD9]).cause == .noSOS)
      #expect(read(Array(source[..<(scan - 4)])).cause == .truncated)
      #expect(read(Array(source.dropLast(2))).cause == .noEOI)
    }
    let noFrame = edit(jpeg) { isFrame($0) ? [] : [($0, $1)] }
    #expect(read(noFrame).cause == .malformedHeader)
    let oneByte = edit(jpeg) { isFrame($0) ? [($0, $1), (0xDD, [1])] : [($0, $1)] }
    #expect(read(oneByte).cause == .malformedHeader)
  }

  /// libjpeg's limit holds for what is re-coded alone.
  @Test func whatIsTooLargeForTheLibraryIsNamed() throws {
    let jpeg = try TestJPEG.make()
    for place in [1, 3] {
      for (size, cause) in [(65_500, nil), (65_501, .size), (65_535, .size)] as [(Int, DropCause?)] {
        let large = edit(extended(jpeg)) { marker, body in
          guard isFrame(marker) else { return [(marker, body)] }
          return [(marker, body[..<place] + [UInt8(size >> 8), UInt8(size & 0xFF)] + body[(place + 2)...])]
        }
        // Its scan is that of a small picture.
        #expect(read(large).cause == cause ?? .noEOI)
        #expect(read(large, recodes: false).cause == .coding)
      }
    }
  }

  /// The rest of a scan after a marker that has no place there is lost: how much that is decides, not how it is coded.
  @Test func aMarkerInTheScan() throws {
    let jpeg = try TestJPEG.make()
    for source in [jpeg, extended(jpeg)] {
      for code: UInt8 in [0x01, 0x42, 0xBF, 0xEE] {
        for (place, cause) in [(source.count - 150, nil), (source.count * 2 / 3, .noEOI)] as [(Int, DropCause?)] {
          var damaged = source
          for (place, byte) in zip(place..., [0xFF, code, 0, 4]) { damaged[place] = byte }
          #expect(read(damaged).cause == cause, "\(code) at \(place)")
          #expect(read(damaged, repairs: true).cause == nil)
        }
      }
    }
    var damaged = jpeg
    for (place, byte) in zip((jpeg.count - 150)..., [0xFF, 1] as [UInt8]) { damaged[place] = byte }
    #expect(read(damaged, recodes: false).cause == .noEOI)
  }

  /// One picture of two fields has the lines of both; one by itself is marked, re-coded or not.
  @Test func fieldsAreWovenOrMarked() throws {
    let (jpeg, lowerHalf) = (try TestJPEG.make(), try TestJPEG.make(height: 64))
    for source in [jpeg, extended(jpeg)] {
      let (upper, lower) = (field(1, of: source), field(2, of: source))
      for frame in [upper + lower, lower + upper] {
        #expect(read(frame) == Outcome(height: 256))
      }
      for frame in [upper, lower, upper + upper, lower + lower, upper + field(2, of: lowerHalf)] {
        #expect(read(frame) == Outcome(height: 128, isField: true))
      }
      #expect(read(field(0, of: source) + field(0, of: source)) == Outcome(height: 128))
    }
  }
}
