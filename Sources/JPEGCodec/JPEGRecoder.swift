import CJPEG

/// Brings JPEGs that RTP can't carry to ones that it can (libjpeg-turbo), in reused memory and limited time.
public struct JPEGRecoder: ~Copyable {
  /// How a picture is re-coded.
  public enum Method: Sendable, Equatable {
    /// From the coefficients: baseline with the standard Huffman tables, in one scan, the same pixels.
    case lossless
    /// Decoded and encoded again: another sampling, other colours, other tables.
    case reencoded
  }

  /// Why there is no result.
  public enum Failure: Error, Equatable, Sendable {
    /// The library can't make sense of its bytes.
    case damaged
    /// It has not all of its tables: an abbreviated JPEG, whose tables came before.
    case tables
    /// A kind of JPEG that the library does not decode.
    case unsupported
    /// It was given up: it takes too long, or too much memory.
    case limit
    /// It, or what its fields form, is over 65,500 pixels wide or high: the library takes none of these.
    case size
    /// The new picture has over 16 MiB.
    case tooLarge
  }

  /// A JPEG that RTP can carry.
  public struct Result {
    /// The JPEG, from SOI to the end of EOI; it holds until the next call.
    public let jpeg: UnsafeRawBufferPointer
    /// The data ended before the picture did; what is missing is grey.
    public let isCut: Bool
  }

  /// Quality of what is encoded again: high, since it was quantized once already.
  private static let quality: Int32 = 92
  /// Bytes that the library may take for the coefficients of a picture that it must have whole (progressive, several
  /// scans): 4:2:0 of 33 megapixels.
  private static let memory = 100 << 20
  /// RFC 2435's fragment offset has 24 bits; the header comes on top.
  private static let largest = (1 << 24) + 4096

  /// A JPEG in one part or two, such as a header and what comes after it.
  public struct Parts {
    private let first: UnsafeRawBufferPointer
    private let second: UnsafeRawBufferPointer

    public init(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0)) {
      self.first = first
      self.second = second
    }

    fileprivate var input: recoder_input {
      recoder_input(
        start: first.assumingMemoryBound(to: UInt8.self).baseAddress, size: first.count,
        rest: second.assumingMemoryBound(to: UInt8.self).baseAddress, rest_size: second.count)
    }
  }

  private let library: OpaquePointer
  private var output: UnsafeMutableRawBufferPointer

  /// Returns nil where there is no memory.
  public init?() {
    guard let library = recoder_create() else { return nil }
    self.library = library
    output = .init(start: nil, count: 0)
  }

  deinit {
    recoder_destroy(library)
    output.deallocate()
  }

  /// Re-codes a JPEG. Bytes that the library only warns of, such as stray ones, cost nothing.
  /// - Parameters:
  ///   - jpeg: from SOI to the end of EOI, or to where it is cut.
  ///   - pixels: how many it has, by its header.
  ///   - places: for each component of the new JPEG, up to four, its place among those of the old one; nil: the same.
  ///     Lossless only.
  ///   - deadline: CLOCK_MONOTONIC in nanoseconds; work that is not done by then is given up.
  public mutating func recode(
    _ jpeg: Parts, pixels: Int, _ method: Method, places: [Int]? = nil, deadline: Int64
  ) throws(Failure) -> Result {
    makeRoom(pixels)
    var result = recoder_result()
    var limits = limits(deadline)
    switch method {
    case .lossless:
      let places = places.map { ($0 + [0, 0, 0, 0]).prefix(4).map { Int32(clamping: $0) } }
      try check(recoder_transcode(library, jpeg.input, places, &limits, &result))
    case .reencoded: try check(recoder_encode(library, jpeg.input, Self.quality, &limits, &result))
    }
    return picture(result)
  }

  /// Makes one picture of two fields: their lines alternate.
  /// - Parameters:
  ///   - top: the field of the first line.
  ///   - pixels: how many the two have together.
  public mutating func weave(top: Parts, bottom: Parts, pixels: Int, deadline: Int64) throws(Failure) -> Result {
    makeRoom(pixels)
    var result = recoder_result()
    var limits = limits(deadline)
    try check(recoder_weave(library, top.input, bottom.input, Self.quality, &limits, &result))
    return picture(result)
  }

  /// No JPEG of this quality takes more than three bytes for each of up to three samples a pixel.
  private mutating func makeRoom(_ pixels: Int) {
    let (bytes, isHuge) = pixels.multipliedReportingOverflow(by: 9)
    output.grow(to: isHuge ? Self.largest : min(max(bytes, 0) + (64 << 10), Self.largest))
  }

  private func limits(_ deadline: Int64) -> recoder_limits {
    recoder_limits(
      output: output.assumingMemoryBound(to: UInt8.self).baseAddress, room: output.count, deadline: deadline,
      memory: Self.memory)
  }

  private func check(_ status: recoder_status) throws(Failure) {
    switch status {
    case RECODER_DONE: return
    case RECODER_TABLES: throw .tables
    case RECODER_UNSUPPORTED: throw .unsupported
    case RECODER_LIMIT: throw .limit
    case RECODER_SIZE: throw .size
    case RECODER_ROOM: throw .tooLarge
    default: throw .damaged
    }
  }

  private func picture(_ result: recoder_result) -> Result {
    Result(jpeg: UnsafeRawBufferPointer(rebasing: output[..<min(result.size, output.count)]), isCut: result.is_cut)
  }
}
