import CTurboJPEG
import JPEGCodec

/// What a camera may give.
struct Kind {
  let name: String
  let format: RawFormat
  let colour: Colour
  /// Bytes that are written before the library reads them, of a frame's: a few lines at a time, which stay in the cache.
  let copied: Double

  /// What the library is given is what the camera gave: nothing is brought to other colours.
  var isHeld: Bool { colour == .jpeg }

  private init(_ name: String, _ format: RawFormat, _ copied: Double, _ colour: Colour = .jpeg) {
    self.name = name
    self.format = format
    self.copied = copied
    self.colour = colour
  }

  static let all = [
    Kind("YU12", .yuv420, 1),
    Kind("NV12", .nv12, 1),
    // A line of Y, and of two lines their mean, its colour, and each colour.
    Kind("YUYV", .yuyv, 0.5 + 0.5 + 0.25 + 0.25),
    Kind("UYVY", .uyvy, 0.5 + 0.5 + 0.25 + 0.25),
    Kind("GREY", .grey, 1),
    Kind("RGB24", .rgb(.rgb), 0),
    Kind("YU12, limited range", .yuv420, 1, Colour(.limited, .bt601)),
    Kind("NV12, limited range", .nv12, 4.0 / 3, Colour(.limited, .bt601)),
    Kind("YUYV, limited range", .yuyv, 1.5 + 0.75, Colour(.limited, .bt601)),
    Kind("YU12, limited BT.709", .yuv420, 1, Colour(.limited, .bt709)),
    Kind("NV12, limited BT.709", .nv12, 4.0 / 3, Colour(.limited, .bt709)),
    Kind("YUYV, limited BT.709", .yuyv, 1.5 + 0.75, Colour(.limited, .bt709)),
  ]

  /// The scene as it gives it.
  func bytes(_ scene: Scene) -> [UInt8] {
    let half = scene.width / 2
    func chroma(_ plane: [UInt8]) -> [UInt8] { Scene.lines(plane, width: half, every: 2) }
    switch format {
    case .yuv420: return scene.luma + chroma(scene.blue) + chroma(scene.red)
    case .nv12: return scene.luma + zip(chroma(scene.blue), chroma(scene.red)).flatMap { [$0, $1] }
    case .yuyv:
      return scene.blue.indices.flatMap { [scene.luma[2 * $0], scene.blue[$0], scene.luma[2 * $0 + 1], scene.red[$0]] }
    case .uyvy:
      return scene.blue.indices.flatMap { [scene.blue[$0], scene.luma[2 * $0], scene.red[$0], scene.luma[2 * $0 + 1]] }
    case .rgb:
      // Grey ones would be encoded sooner.
      return scene.luma.indices.flatMap { [scene.luma[$0], UInt8(255 - scene.luma[$0]), scene.blue[$0 / 2]] }
    default: return scene.luma
    }
  }
}

/// This project's encoder.
final class Own {
  private var encoder: JPEGEncoder?
  private let bytes: [UInt8]
  private let layout: RawLayout
  private let output: UnsafeMutableRawBufferPointer

  init(_ kind: Kind, _ scene: Scene) {
    bytes = kind.bytes(scene)
    layout = RawLayout(kind.format, width: scene.width, height: scene.height, stride: 0)
    encoder = try? JPEGEncoder(kind.format, width: scene.width, height: scene.height, colour: kind.colour)
    output = .allocate(
      byteCount: JPEGEncoder.largestJPEG(width: scene.width, height: scene.height), alignment: 64)
  }

  deinit { output.deallocate() }

  func encode() {
    bytes.withUnsafeBytes { bytes in
      let size = try? encoder?.encode(layout.picture(bytes), quality: 80, into: output)
      precondition(size ?? 0 > 0)
    }
  }
}

/// TurboJPEG's call for the same JPEG, on planes that are as it wants them; of RGB its call for that.
final class Floor {
  private let handle = tjInitCompress()
  private let scene: Scene
  private let planes: [[UInt8]]
  /// What has no colour has planes of it all the same: RTP/JPEG has no grey.
  private let neutral: [UInt8]
  private let pixels: [UInt8]
  private let output: UnsafeMutableRawBufferPointer

  init(_ scene: Scene) {
    self.scene = scene
    let half = scene.width / 2
    planes = [
      scene.luma, Scene.lines(scene.blue, width: half, every: 2), Scene.lines(scene.red, width: half, every: 2),
    ]
    neutral = Array(repeating: 128, count: planes[1].count)
    pixels = Kind.all.first { $0.name == "RGB24" }?.bytes(scene) ?? []
    output = .allocate(
      byteCount: JPEGEncoder.largestJPEG(width: scene.width, height: scene.height), alignment: 64)
  }

  deinit {
    tjDestroy(handle)
    output.deallocate()
  }

  func encode(_ kind: Kind) {
    var start = output.assumingMemoryBound(to: UInt8.self).baseAddress
    var size = UInt(output.count)
    let (width, height, sampling) = (Int32(scene.width), Int32(scene.height), Int32(TJSAMP_420.rawValue))
    let colours = kind.format == .grey ? (neutral, neutral) : (planes[1], planes[2])
    var status: Int32 = -1
    if kind.format == .rgb(.rgb) {
      status = tjCompress2(
        handle, pixels, width, 0, height, Int32(TJPF_RGB.rawValue), &start, &size, sampling, 80, TJFLAG_NOREALLOC)
    } else {
      planes[0].withUnsafeBufferPointer { luma in
        colours.0.withUnsafeBufferPointer { blue in
          colours.1.withUnsafeBufferPointer { red in
            var pointers = [luma.baseAddress, blue.baseAddress, red.baseAddress]
            status = tjCompressFromYUVPlanes(
              handle, &pointers, width, nil, height, sampling, &start, &size, 80, TJFLAG_NOREALLOC)
          }
        }
      }
    }
    precondition(status == 0)
  }
}
