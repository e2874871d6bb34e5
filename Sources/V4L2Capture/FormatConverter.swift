import CLinux
import LinuxIO

/// libv4lconvert, which knows the formats of old and odd cameras. It is loaded only where a camera has no other: who has
/// no use for it needs not have it.
public struct FormatConverter: ~Copyable {
  /// What pictures of a format become: RGB3 where they are of red, green and blue, else YU12; without a byte between
  /// lines.
  public static func output(of format: Format) -> Format {
    let isRGB = format.format.isRGB
    let (width, height) = (format.size.width, format.size.height)
    let stride = isRGB ? 3 * width : (width + 1) / 2 * 2
    let bytes = isRGB ? stride * height : stride * height + stride * ((height + 1) / 2)
    return Format(
      PixelFormat(isRGB ? "RGB3" : "YU12"), format.size, imageBytes: bytes, strides: [stride], colours: format.colours)
  }

  private let library: Library
  private let state: OpaquePointer
  private let formats: UnsafeMutablePointer<v4l2_format>
  private let memory: UnsafeMutableRawBufferPointer

  /// - Throws: where there is no libv4lconvert.
  public init(_ device: borrowing Device, _ format: Format) throws(CaptureError) {
    let library: Library
    do throws(SharedLibrary.LoadError) { library = try Library() } catch {
      throw CaptureError(
        device.path,
        "its format \(format.format) needs libv4lconvert ('sudo apt-get install libv4l-dev' has it): \(error)")
    }
    guard let state = library.create(device.number) else {
      throw CaptureError(device.path, "libv4lconvert has no memory for its format \(format.format)")
    }
    let output = Self.output(of: format)
    formats = .allocate(capacity: 2)
    formats.initialize(to: Self.described(format))
    (formats + 1).initialize(to: Self.described(output))
    memory = .allocate(byteCount: Int(output.imageBytes), alignment: 64)
    self.library = library
    self.state = state
  }

  deinit {
    library.destroy(state)
    formats.deallocate()
    memory.deallocate()
  }

  private static func described(_ format: Format) -> v4l2_format {
    var described = v4l2_format()
    described.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
    described.fmt.pix.width = format.size.width
    described.fmt.pix.height = format.size.height
    described.fmt.pix.pixelformat = format.format.rawValue
    described.fmt.pix.field = V4L2_FIELD_NONE.rawValue
    described.fmt.pix.bytesperline = format.strides.first ?? 0
    described.fmt.pix.sizeimage = format.imageBytes
    return described
  }

  /// Converts a picture.
  /// - Returns: the new one, until the next call; nil where the library can't read it.
  public func convert(_ picture: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    let size = library.convert(
      state, formats, formats + 1, UnsafeMutableRawPointer(mutating: picture.baseAddress),
      Int32(clamping: picture.count),
      memory.baseAddress, Int32(clamping: memory.count))
    return size == memory.count ? UnsafeRawBufferPointer(memory) : nil
  }

  /// The functions that are used (libv4lconvert.h).
  private struct Library {
    typealias Create = @convention(c) (Int32) -> OpaquePointer?
    typealias Destroy = @convention(c) (OpaquePointer) -> Void
    typealias Convert =
      @convention(c) (
        OpaquePointer, UnsafePointer<v4l2_format>, UnsafePointer<v4l2_format>, UnsafeMutableRawPointer?, Int32,
        UnsafeMutableRawPointer?, Int32
      ) -> Int32

    let create: Create
    let destroy: Destroy
    let convert: Convert

    init() throws(SharedLibrary.LoadError) {
      let library = try SharedLibrary(opening: "libv4lconvert.so.0")
      guard let create = library.symbol("v4lconvert_create"), let destroy = library.symbol("v4lconvert_destroy"),
        let convert = library.symbol("v4lconvert_convert")
      else { throw SharedLibrary.LoadError(description: "libv4lconvert.so.0 is not what it was") }
      self.create = unsafeBitCast(create, to: Create.self)
      self.destroy = unsafeBitCast(destroy, to: Destroy.self)
      self.convert = unsafeBitCast(convert, to: Convert.self)
    }
  }
}
