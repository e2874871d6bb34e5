import Glibc
import JPEGCodec

@testable import streamer

enum TestJPEG {
  /// One picture of `test:`.
  static func make() throws -> [UInt8] {
    var picture = TestPicture(width: 160, height: 128)
    picture.draw(frame: 7)
    return try picture.planes.jpeg(quality: 80)
  }
}
