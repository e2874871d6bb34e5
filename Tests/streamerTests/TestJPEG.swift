import Glibc
import JPEGCodec

@testable import streamer

enum TestJPEG {
  /// One picture of `test:`.
  static func make(width: Int = 160, height: Int = 128) throws -> [UInt8] {
    let picture = TestPicture(width: width, height: height)
    picture.draw(frame: 7)
    return try picture.planes.jpeg(quality: 80)
  }
}
