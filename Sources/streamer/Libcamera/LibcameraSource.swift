import V4L2Capture

/// A camera of libcamera's whose MJPEG frames are sent out of its buffers.
struct LibcameraSource: FrameSource, ~Copyable {
  private let ring: LibcameraRing
  let info: SourceInfo

  init(_ camera: consuming LibcameraCamera) throws {
    let (size, rate, description) = (camera.format.size, camera.rate, camera.description)
    let ring = try LibcameraRing(camera)
    info = SourceInfo(
      size: size, rate: rate, largestFrame: ring.largest, description: "\(description), \(ring.description)")
    self.ring = ring
  }

  var number: Int32 { ring.number }

  var isQueue: Bool { true }

  func next() throws -> Frame? { try ring.dequeue() }

  var timestampSource: TimestampSource? { ring.timestampSource }

  var hasFaultyTimestamps: Bool { ring.hasFaultyTimestamps }
}
