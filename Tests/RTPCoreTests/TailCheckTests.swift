import Testing

@testable import RTPCore

/// The end of a camera's frames, by the cheap check where that is enough.
@Suite struct TailCheckTests {
  /// Frames of a camera: one header, scans of random bytes of some size, each with its EOI.
  private struct Camera {
    var random = SystemRandomNumberGenerator()
    let header: [UInt8]

    init() throws {
      let jpeg = try Samples.jpeg()
      header = Array(jpeg[..<(jpeg.count - Samples.scan(jpeg).count)])
    }

    mutating func frame(_ size: Int = 20_000) -> [UInt8] {
      header + (0..<size).map { _ in UInt8.random(in: 0...0xFE, using: &random) } + [0xFF, 0xD9]
    }
  }

  /// The bytes of a frame's picture, and whether its end was searched for.
  private func read(_ reader: inout JPEGReader, _ frame: [UInt8]) throws -> (size: Int, isSearched: Bool) {
    let before = reader.searches
    let size = try frame.withUnsafeBytes { bytes in
      let picture = try reader.read(bytes)
      return picture.header.scanOffset + picture.scan.count
    }
    return (size, reader.searches > before)
  }

  /// A reader that trusts a camera.
  private func warm(_ camera: inout Camera) throws -> JPEGReader {
    var reader = JPEGReader()
    for _ in 0..<16 {
      let result = try read(&reader, camera.frame())
      #expect(result.isSearched)
    }
    let result = try read(&reader, camera.frame())
    #expect(!result.isSearched)
    return reader
  }

  @Test func mostFramesOfAGoodCameraAreNotSearched() throws {
    var camera = try Camera()
    var reader = try warm(&camera)
    var searches = 0
    for _ in 0..<320 {
      let frame = camera.frame(20_000 + Int.random(in: -500...500))
      let result = try read(&reader, frame)
      #expect(result.size == frame.count)
      searches += result.isSearched ? 1 : 0
    }
    #expect((5...15).contains(searches))
  }

  /// An older frame's rest behind the picture: appended, or where it stood in the camera's memory.
  @Test func anOldEndIsNotTaken() throws {
    var camera = try Camera()
    var reader = try warm(&camera)
    let old = camera.frame()
    _ = try read(&reader, old)
    let short = camera.frame(18_000)
    let appended = short + old.suffix(1000)
    let result = try read(&reader, appended)
    #expect(result.size == short.count)
    var other = try warm(&camera)
    _ = try read(&other, old)
    let stale = short + old[short.count...]
    let second = try read(&other, stale)
    #expect(second.size == short.count && stale.count == old.count)
    // Such a camera is never trusted again.
    for _ in 0..<40 {
      let next = try read(&other, camera.frame())
      #expect(next.isSearched)
    }
  }

  /// Two pictures in one buffer, and anything else that is much larger than the frame before.
  @Test func aFrameThatGrewIsSearched() throws {
    var camera = try Camera()
    var reader = try warm(&camera)
    let first = camera.frame()
    let both = first + camera.frame()
    let result = try read(&reader, both)
    #expect(result.size == first.count)
  }

  /// What does not end with EOI is searched, as ever.
  @Test func otherEndsAreSearched() throws {
    var camera = try Camera()
    var reader = try warm(&camera)
    let frame = camera.frame()
    let result = try read(&reader, frame + [0, 0, 0])
    #expect(result.size == frame.count && result.isSearched)
    var other = try warm(&camera)
    let cut = Array(camera.frame().dropLast(2))
    #expect(throws: JPEGFault.noEOI) { try cut.withUnsafeBytes { _ = try other.read($0) } }
  }

  /// The same frame again and again, such as a test pattern's, can't be told from an old one's rest.
  @Test func framesThatEndAlikeAreSearched() throws {
    var camera = try Camera()
    var reader = try warm(&camera)
    let frame = camera.frame()
    _ = try read(&reader, frame)
    let again = try read(&reader, frame)
    #expect(again.isSearched && again.size == frame.count)
  }
}
