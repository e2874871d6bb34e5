import V4L2Capture

/// A camera of libcamera's whose frames are read out of its buffers, plane by plane where they lie.
struct LibcameraSource: ~Copyable {
  private let ring: LibcameraRing
  let info: SourceInfo

  init(_ camera: consuming LibcameraCamera) throws {
    let (size, rate, description) = (camera.format.size, camera.rate, camera.description)
    let raw = try RawFrames(camera.format, of: camera.device.name, mayConvert: false)
    let ring = try LibcameraRing(camera)
    info = SourceInfo(
      size: size, rate: rate, largestFrame: ring.largest, description: "\(description), \(ring.description)", raw: raw)
    self.ring = ring
  }

  var fileDescriptor: Int32 { ring.number }

  func next() throws(Failure) -> Frame? { try ring.dequeue() }

  var timestampSource: TimestampSource? { ring.timestampSource }

  var hasFaultyTimestamps: Bool { ring.hasFaultyTimestamps }
}
