import Glibc
import JPEGCodec

@testable import streamer

enum TestJPEG {
  /// One picture of `test:`.
  static func make(width: Int = 160, height: Int = 128) throws -> [UInt8] {
    var picture = TestPicture(width: width, height: height)
    picture.draw(frame: 7)
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: JPEGEncoder.largestJPEG(width: width, height: height), alignment: 16)
    defer { memory.deallocate() }
    return Array(memory[..<(try JPEGEncoder().encode(picture.planes, quality: 80, into: memory))])
  }
}
