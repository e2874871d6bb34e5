import JPEGCodec
import LinuxIO
import RTPCore

/// Reads a camera's frames as pictures that can be sent: as they are, which costs next to nothing, or re-coded by
/// libjpeg-turbo, off the zero-copy path, where RTP can't carry them.
struct FrameReader: ~Copyable {
  /// What re-coding came to so far.
  struct Recoding: Equatable, Sendable {
    /// Frames re-coded from their coefficients.
    var lossless: UInt64 = 0
    /// Frames decoded and encoded again.
    var reencoded: UInt64 = 0
    /// Nanoseconds that the last one took.
    var cost: Int64 = 0

    /// Whether a way of re-coding was taken for the first time.
    func isNews(since before: Recoding) -> Bool {
      (before.lossless == 0 && lossless > 0) || (before.reencoded == 0 && reencoded > 0)
    }
  }

  /// Frames that are cut short or flagged are read, too.
  var repairs: Bool { reader.repairs }
  private(set) var recoding = Recoding()
  private var reader: JPEGReader
  private let recodes: Bool
  /// Made for the first frame that needs it: others have no use for its memory.
  private var recoder: JPEGRecoder?

  init(repairs: Bool, recodes: Bool) {
    reader = JPEGReader(repairs: repairs)
    self.recodes = recodes
  }

  /// Reads a frame.
  /// - Returns: the picture, whose scan lies in the frame, or, re-coded, in memory that holds until the next call.
  mutating func read(_ frame: UnsafeRawBufferPointer) throws(DropCause) -> JPEGPicture {
    do throws(JPEGFault) {
      return try reader.read(frame)
    } catch {
      guard recodes, let method = error.remedy else { throw DropCause(error) }
      return try recode(frame, method)
    }
  }

  /// Reads the header of a frame that is still arriving.
  /// - Returns: nil where the header is not all there yet.
  /// - Throws: why the frame can't be sent before it is all there: it is read anew then.
  mutating func begin(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) -> ArrivingPicture? { try reader.begin(frame) }

  /// Reads a frame that is all there now, of which a part was sent.
  mutating func read(
    _ frame: UnsafeRawBufferPointer, behind arrived: ArrivingPicture
  ) throws(DropCause) -> JPEGPicture {
    do throws(JPEGFault) { return try reader.read(frame, behind: arrived) } catch { throw DropCause(error) }
  }

  private mutating func recode(
    _ frame: UnsafeRawBufferPointer, _ method: JPEGRecoder.Method
  ) throws(DropCause) -> JPEGPicture {
    let start = Clock.monotonic
    var method = method
    while true {
      guard let jpeg = transcode(frame, method) else { throw .undecodable }
      do throws(JPEGFault) {
        let picture = try reader.read(jpeg, isExact: true)
        if method == .lossless { recoding.lossless += 1 } else { recoding.reencoded += 1 }
        recoding.cost = Clock.monotonic - start
        return picture
      } catch {
        // Its coefficients are in a sampling that can't be sent: only pixels help.
        guard method == .lossless, error.remedy == .reencoded else { throw DropCause(error) }
        method = .reencoded
      }
    }
  }

  private mutating func transcode(
    _ frame: UnsafeRawBufferPointer, _ method: JPEGRecoder.Method
  ) -> UnsafeRawBufferPointer? {
    if recoder == nil { recoder = try? JPEGRecoder() }
    return try? recoder?.recode(frame, method)
  }
}

extension JPEGFault {
  /// What makes a JPEG sendable that RTP can't carry; nil where nothing does.
  fileprivate var remedy: JPEGRecoder.Method? {
    switch self {
    case .unsupported(.coding), .unsupported(.huffman), .unsupported(.scans): .lossless
    case .unsupported(.sampling), .unsupported(.components), .unsupported(.tables): .reencoded
    default: nil
    }
  }
}
