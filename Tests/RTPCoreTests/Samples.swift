import CTurboJPEG
import JPEGCodec
import Testing

@testable import RTPCore

/// JPEGs by a real encoder, and what cameras make of them.
enum Samples {
  /// A 4:2:0 picture with detail, of libjpeg-turbo.
  static func jpeg(width: Int = 160, height: Int = 128, quality: Int = 80) throws -> [UInt8] {
    let picture = PlanarPicture(width: width, height: height)
    var seed: UInt32 = 1
    for index in 0..<3 {
      let plane = picture.plane(index)
      for offset in 0..<plane.width * plane.height {
        seed = seed &* 1_664_525 &+ 1_013_904_223
        plane.start[offset] = UInt8(truncatingIfNeeded: offset / 3 &+ Int(seed >> 27))
      }
    }
    return try picture.jpeg(quality: quality)
  }

  /// The same in 4:2:2, too, by another way than ours.
  static func jpeg(width: Int, height: Int, sampling: JPEGHeader.Sampling) throws -> [UInt8] {
    if sampling == .yuv420 { return try jpeg(width: width, height: height) }
    let pixels = (0..<3 * width * height).map { UInt8(truncatingIfNeeded: $0 * $0 / 300) }
    let handle = tjInitCompress()
    var output: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    defer {
      tjFree(output)
      tjDestroy(handle)
    }
    let status = tjCompress2(
      handle, pixels, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue), &output, &size,
      Int32(TJSAMP_422.rawValue), 80, 0)
    try #require(status == 0)
    return Array(UnsafeBufferPointer(start: output, count: Int(size)))
  }

  /// A JPEG's segments before SOS: marker and body; and all from SOS on.
  static func split(_ jpeg: [UInt8]) -> (segments: [(marker: UInt8, body: [UInt8])], rest: [UInt8]) {
    var segments: [(UInt8, [UInt8])] = []
    var offset = 2
    while jpeg[offset + 1] != 0xDA {
      let length = Int(jpeg[offset + 2]) << 8 | Int(jpeg[offset + 3])
      segments.append((jpeg[offset + 1], Array(jpeg[offset + 4..<offset + 2 + length])))
      offset += 2 + length
    }
    return (segments, Array(jpeg[offset...]))
  }

  /// The other way round.
  static func join(_ segments: [(marker: UInt8, body: [UInt8])], _ rest: [UInt8]) -> [UInt8] {
    var jpeg: [UInt8] = [0xFF, 0xD8]
    for (marker, body) in segments {
      let length = body.count + 2
      jpeg += [0xFF, marker, UInt8(length >> 8), UInt8(length & 0xFF)] + body
    }
    return jpeg + rest
  }

  /// A JPEG with its segments changed.
  static func edit(
    _ jpeg: [UInt8], _ change: (inout [(marker: UInt8, body: [UInt8])], inout [UInt8]) -> Void
  ) -> [UInt8] {
    var (segments, rest) = split(jpeg)
    change(&segments, &rest)
    return join(segments, rest)
  }

  /// The scan of a JPEG with its EOI.
  static func scan(_ jpeg: [UInt8]) -> [UInt8] {
    let rest = split(jpeg).rest
    return Array(rest[(2 + (Int(rest[2]) << 8 | Int(rest[3])))...])
  }
}

/// The header of some bytes, or why there is none.
func header(_ bytes: [UInt8]) -> Result<JPEGHeader, JPEGFault> {
  bytes.withUnsafeBytes { bytes in
    do throws(JPEGFault) { return .success(try JPEGHeader(bytes)) } catch { return .failure(error) }
  }
}

/// A frame, read by a reader that knows no other.
func read(
  _ bytes: UnsafeRawBufferPointer, repairs: Bool = false, isExact: Bool = false
) throws(JPEGFault) -> JPEGPicture {
  var reader = JPEGReader(repairs: repairs)
  return try reader.read(bytes, isExact: isExact)
}

/// Where a picture's scan begins and how long it is, or why there is none.
func scanRange(_ bytes: [UInt8]) -> Result<Range<Int>, JPEGFault> {
  bytes.withUnsafeBytes { bytes in
    do throws(JPEGFault) {
      let picture = try read(bytes)
      let start = picture.header.scanOffset
      return .success(start..<start + picture.scan.count)
    } catch { return .failure(error) }
  }
}
