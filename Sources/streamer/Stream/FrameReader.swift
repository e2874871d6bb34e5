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
  /// Nanoseconds that re-coding a frame may take: the loop does nothing else meanwhile.
  private let patience: Int64

  /// - Parameter interval: nanoseconds from frame to frame.
  init(repairs: Bool, recodes: Bool, interval: Int64) {
    reader = JPEGReader(repairs: repairs)
    self.recodes = recodes
    patience = min(max(interval, 50_000_000), 500_000_000) * 2
  }

  /// Reads a frame.
  /// - Parameter isExact: it was encoded here: it ends with its EOI.
  /// - Returns: the picture, whose scan lies in the frame, or, re-coded, in memory that holds until the next call.
  mutating func read(_ frame: UnsafeRawBufferPointer, isExact: Bool) throws(DropCause) -> JPEGPicture {
    do throws(JPEGFault) {
      return try reader.read(frame, isExact: isExact)
    } catch {
      guard recodes, let method = error.remedy else { throw DropCause(error) }
      return try recode(frame, method, error)
    }
  }

  /// Reads the header of a frame that is still arriving.
  /// - Returns: nil where the header is not all there yet.
  /// - Throws: why the frame can't be sent before it is all there: it is read again then.
  mutating func begin(_ frame: UnsafeRawBufferPointer) throws(JPEGFault) -> ArrivingPicture? { try reader.begin(frame) }

  /// Reads a frame that is all there now, of which a part was sent.
  mutating func read(
    _ frame: UnsafeRawBufferPointer, behind arrived: ArrivingPicture
  ) throws(DropCause) -> JPEGPicture {
    do throws(JPEGFault) { return try reader.read(frame, behind: arrived) } catch { throw DropCause(error) }
  }

  /// - Parameters:
  ///   - method: what is tried first.
  ///   - fault: why the frame can't be sent as it is.
  private mutating func recode(
    _ frame: UnsafeRawBufferPointer, _ method: JPEGRecoder.Method, _ fault: JPEGFault
  ) throws(DropCause) -> JPEGPicture {
    if recoder == nil { recoder = JPEGRecoder() }
    guard let extent = JPEGExtent.first(in: frame), extent.range != nil || repairs else { throw .noEOI }
    let start = Clock.monotonic
    let job = Job(frame: frame, extent: extent, fault: fault, deadline: start + patience)
    let picture: JPEGPicture
    if let field = extent.otherField(in: frame) {
      picture = try read(try weave(job, field), job)
      recoding.reencoded += 1
    } else if let reordered = ReorderedJPEG(frame, at: extent.start) {
      picture = try reorder(reordered, job)
    } else {
      picture = try recode(job, method)
    }
    recoding.cost = Clock.monotonic - start
    return picture
  }

  /// A frame to re-code.
  private struct Job {
    let frame: UnsafeRawBufferPointer
    let extent: JPEGExtent
    /// Why it can't be sent as it is.
    let fault: JPEGFault
    let deadline: Int64

    /// From SOI to the end of EOI, or of the frame.
    var jpeg: UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(rebasing: frame[extent.start..<(extent.range?.upperBound ?? frame.count)])
    }
  }

  private mutating func recode(_ job: Job, _ method: JPEGRecoder.Method) throws(DropCause) -> JPEGPicture {
    if method == .lossless, let picture = try recodeLosslessly(job) {
      recoding.lossless += 1
      return picture
    }
    let picture = try read(try recode(job.jpeg, .reencoded, job), job)
    recoding.reencoded += 1
    return picture
  }

  /// - Returns: nil where only pixels help.
  private mutating func recodeLosslessly(_ job: Job) throws(DropCause) -> JPEGPicture? {
    do throws(DropCause) { return try read(try recode(job.jpeg, .lossless, job), job) } catch {
      // Its coefficients can't be read so, or are in a form that can't be sent either.
      switch error {
      case .undecodable, .sampling, .components, .tables, .colours, .coding, .huffman, .scans: return nil
      default: throw error
      }
    }
  }

  /// Brings components into the usual order, and re-codes what can't be sent even then.
  private mutating func reorder(_ reordered: ReorderedJPEG, _ job: Job) throws(DropCause) -> JPEGPicture {
    let header = UnsafeMutableRawBufferPointer.allocate(byteCount: reordered.header.count, alignment: 1)
    defer { header.deallocate() }
    header.copyBytes(from: reordered.header)
    let scan = job.jpeg[(reordered.scanOffset - job.extent.start)...]
    let parts = JPEGRecoder.Parts(UnsafeRawBufferPointer(header), UnsafeRawBufferPointer(rebasing: scan))
    let result: JPEGRecoder.Result
    do throws(JPEGRecoder.Failure) {
      guard
        let made = try recoder?.reorder(parts, to: reordered.places, pixels: job.extent.pixels, deadline: job.deadline)
      else { throw .limit }
      result = made
    } catch { throw DropCause(error, job.fault) }
    if let picture = try? read(result, job) {
      recoding.lossless += 1
      return picture
    }
    let usual = UnsafeMutableRawBufferPointer.allocate(byteCount: result.jpeg.count, alignment: 1)
    defer { usual.deallocate() }
    usual.copyMemory(from: result.jpeg)
    let picture = try read(try recode(UnsafeRawBufferPointer(usual), .reencoded, job), job)
    recoding.reencoded += 1
    return picture
  }

  private mutating func weave(_ job: Job, _ field: JPEGExtent) throws(DropCause) -> JPEGRecoder.Result {
    guard let range = field.range else { throw .noEOI }
    let other = UnsafeRawBufferPointer(rebasing: job.frame[range])
    let (top, bottom) = job.extent.isAbove(field) ? (job.jpeg, other) : (other, job.jpeg)
    do throws(JPEGRecoder.Failure) {
      guard
        let woven = try recoder?.weave(
          top: top, bottom: bottom, pixels: job.extent.pixels + field.pixels, deadline: job.deadline)
      else { throw .limit }
      return woven
    } catch { throw DropCause(error, job.fault) }
  }

  private mutating func recode(
    _ jpeg: UnsafeRawBufferPointer, _ method: JPEGRecoder.Method, _ job: Job
  ) throws(DropCause) -> JPEGRecoder.Result {
    do throws(JPEGRecoder.Failure) {
      guard let result = try recoder?.recode(jpeg, pixels: job.extent.pixels, method, deadline: job.deadline) else {
        throw .limit
      }
      return result
    } catch { throw DropCause(error, job.fault) }
  }

  /// Reads what the library made.
  private mutating func read(_ result: JPEGRecoder.Result, _ job: Job) throws(DropCause) -> JPEGPicture {
    guard !result.isCut || repairs else { throw .noEOI }
    do throws(JPEGFault) {
      let picture = try reader.read(result.jpeg, isExact: true)
      return JPEGPicture(
        header: picture.header, scan: picture.scan, isRepaired: result.isCut || job.extent.range == nil,
        skipped: job.extent.start)
    } catch { throw DropCause(error) }
  }
}

extension JPEGFault {
  /// What makes a JPEG sendable that RTP can't carry; nil where nothing does.
  fileprivate var remedy: JPEGRecoder.Method? {
    switch self {
    case .unsupported(.coding), .unsupported(.huffman), .unsupported(.scans): .lossless
    case .unsupported(.sampling), .unsupported(.components), .unsupported(.tables), .unsupported(.colours),
      .unsupported(.fields):
      .reencoded
    default: nil
    }
  }
}

extension DropCause {
  /// - Parameter fault: why the frame had to be re-coded.
  fileprivate init(_ failure: JPEGRecoder.Failure, _ fault: JPEGFault) {
    switch failure {
    case .damaged: self = .undecodable
    case .unsupported: self = DropCause(fault)
    case .limit: self = .recodeLimit
    case .tooLarge: self = .tooLarge
    }
  }
}
