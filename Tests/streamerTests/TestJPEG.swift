import Glibc
import JPEGCodec

@testable import streamer

enum TestJPEG {
  /// One picture of `test:`.
  static func make() throws -> [UInt8] {
    var picture = TestPicture(width: 160, height: 128)
    picture.draw(frame: 7)
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: JPEGEncoder.largestJPEG(width: 160, height: 128), alignment: 16)
    defer { memory.deallocate() }
    return Array(memory[..<(try JPEGEncoder().encode(picture.planes, quality: 80, into: memory))])
  }
}
