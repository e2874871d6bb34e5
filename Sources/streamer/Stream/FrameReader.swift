import JPEGCodec
import LinuxIO
import RTPCore

/// Reads a camera's frames as pictures that can be sent: as they are, which costs next to nothing, or re-coded by
/// libjpeg-turbo, off the zero-copy path, where RTP can't carry them.
struct FrameReader: ~Copyable {
  /// Counters of re-coded frames, and what the last one cost.
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
  private var patience: Int64 = 0
  private var costly = CostlyFrames()

  init(repairs: Bool, recodes: Bool) {
    reader = JPEGReader(repairs: repairs)
    self.recodes = recodes
  }

  /// Frames are of another camera now, or of a mode that it was set to.
  /// - Parameter interval: nanoseconds from frame to frame.
  mutating func prepare(interval: Int64) { patience = min(max(interval, 50_000_000), 500_000_000) * 2 }

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
  mutating func finish(
    _ arrived: ArrivingPicture, in frame: UnsafeRawBufferPointer
  ) throws(DropCause) -> JPEGPicture {
    do throws(JPEGFault) { return try reader.finish(arrived, in: frame) } catch { throw DropCause(error) }
  }

  /// - Parameters:
  ///   - method: what is tried first.
  ///   - fault: why the frame can't be sent as it is.
  private mutating func recode(
    _ frame: UnsafeRawBufferPointer, _ method: JPEGRecoder.Method, _ fault: JPEGFault
  ) throws(DropCause) -> JPEGPicture {
    if recoder == nil { recoder = JPEGRecoder() }
    let (found, fields) = JPEGExtent.contents(of: frame)
    guard let extent = found else { throw DropCause(fault) }
    if !repairs, let cut = (fields.map { [$0.first, $0.second] } ?? [extent]).first(where: { $0.range == nil }) {
      throw DropCause(cut.fault)
    }
    let start = Clock.monotonic
    let job = Job(
      frame: frame, extent: extent, fault: fault, isField: fields == nil && extent.isField, deadline: start + patience)
    if costly.refuses(fault, extent.pixels) { throw .recodeLimit }
    let picture: JPEGPicture
    do throws(DropCause) {
      picture = if let (first, second) = fields { try weave(job, first, second) } else { try recode(job, method) }
    } catch {
      if error == .recodeLimit { costly.note(fault, extent.pixels) }
      throw error
    }
    costly.noteSuccess(fault, extent.pixels)
    recoding.cost = Clock.monotonic - start
    return picture
  }

  /// A frame to re-code.
  private struct Job {
    let frame: UnsafeRawBufferPointer
    let extent: JPEGExtent
    /// Why it can't be sent as it is.
    let fault: JPEGFault
    /// The other field is not there.
    let isField: Bool
    let deadline: Int64
  }

  private mutating func recode(_ job: Job, _ method: JPEGRecoder.Method) throws(DropCause) -> JPEGPicture {
    let jpeg = job.extent.bytes(in: job.frame)
    guard let header = PlainHeader(job.frame, at: job.extent.start) else { throw DropCause(job.fault) }
    let scan = UnsafeRawBufferPointer(rebasing: jpeg[min(jpeg.count, header.scanOffset - job.extent.start)...])
    return try Self.withCopy(of: header.bytes) { plain throws(DropCause) in
      let parts = JPEGRecoder.Parts(plain, scan)
      // libjpeg does not decode components in another order: they are brought to the usual one first.
      if method == .lossless || header.places != nil,
        let picture = try recodeLosslessly(parts, header.places, job)
      {
        return picture
      }
      return try encode(parts, job)
    }
  }

  /// Lends a copy of some bytes that stays where it is during the call.
  private static func withCopy<Result>(
    of bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws(DropCause) -> Result
  ) throws(DropCause) -> Result {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    return try body(UnsafeRawBufferPointer(copy))
  }

  /// - Returns: nil where only pixels help.
  private mutating func recodeLosslessly(
    _ jpeg: JPEGRecoder.Parts, _ places: [Int]?, _ job: Job
  ) throws(DropCause) -> JPEGPicture? {
    do throws(DropCause) {
      let result = try recode(jpeg, .lossless, places, job)
      do throws(DropCause) {
        let picture = try read(result, job)
        recoding.lossless += 1
        return picture
      } catch {
        guard places != nil, error.isOfForm else { throw error }
        // Its components are in the usual order by now.
        return try Self.withCopy(of: result.jpeg) { usual throws(DropCause) in
          try encode(JPEGRecoder.Parts(usual), job)
        }
      }
    } catch {
      guard places == nil, error.isOfForm else { throw error }
      return nil
    }
  }

  /// Decodes a picture and encodes it again.
  private mutating func encode(_ jpeg: JPEGRecoder.Parts, _ job: Job) throws(DropCause) -> JPEGPicture {
    let picture = try read(try recode(jpeg, .reencoded, nil, job), job)
    recoding.reencoded += 1
    return picture
  }

  private mutating func weave(_ job: Job, _ first: JPEGExtent, _ second: JPEGExtent) throws(DropCause) -> JPEGPicture {
    let one = JPEGRecoder.Parts(first.bytes(in: job.frame, before: second))
    let other = JPEGRecoder.Parts(second.bytes(in: job.frame))
    let (top, bottom) = first.isAbove(second) ? (one, other) : (other, one)
    let result: JPEGRecoder.Result
    do throws(JPEGRecoder.Failure) {
      guard
        let woven = try recoder?.weave(
          top: top, bottom: bottom, pixels: first.pixels + second.pixels, deadline: job.deadline)
      else { throw .limit }
      result = woven
    } catch { throw DropCause(error, job.fault) }
    let picture = try read(result, job)
    recoding.reencoded += 1
    return picture
  }

  private mutating func recode(
    _ jpeg: JPEGRecoder.Parts, _ method: JPEGRecoder.Method, _ places: [Int]?, _ job: Job
  ) throws(DropCause) -> JPEGRecoder.Result {
    do throws(JPEGRecoder.Failure) {
      guard
        let result = try recoder?.recode(
          jpeg, pixels: job.extent.pixels, method, places: places, deadline: job.deadline)
      else { throw .limit }
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
        skipped: job.extent.start, isField: job.isField)
    } catch { throw DropCause(error) }
  }
}

extension DropCause {
  /// The frame can't be read or sent as it is now: another method may do.
  fileprivate var isOfForm: Bool {
    switch self {
    case .undecodable, .sampling, .components, .tables, .colours, .coding, .huffman, .scans: true
    default: false
    }
  }
}

extension JPEGFault {
  /// What makes a JPEG sendable that RTP can't carry; nil where nothing does.
  fileprivate var remedy: JPEGRecoder.Method? {
    switch self {
    case .unsupported(.coding), .unsupported(.huffman), .unsupported(.scans), .interruptedScan: .lossless
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
    case .tables: self = .malformedHeader
    case .unsupported: self = DropCause(fault)
    case .limit: self = .recodeLimit
    case .size: self = .size
    case .tooLarge: self = .tooLarge
    }
  }
}
