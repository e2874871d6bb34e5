/// Where the planes of a camera's raw pictures lie in its memory.
public struct RawLayout: Sendable, Equatable {
  /// One plane's place.
  public struct Place: Sendable, Equatable {
    /// Which of the picture's memories.
    let memory: Int
    /// Bytes from that one's start.
    let offset: Int
    /// Bytes from line to line.
    let stride: Int
  }

  public let format: RawFormat
  /// Pixels.
  public let width: Int
  /// Pixels.
  public let height: Int
  /// Y, Cb, Cr; of formats with fewer planes the first ones.
  let places: (Place, Place, Place)

  /// All planes one after the other in one memory, as V4L2 has it: with a line of colour as long as its share of `stride`.
  /// - Parameters:
  ///   - stride: bytes from line to line of the first plane; 0, or too few for a line: there is nothing between lines.
  ///   - isSwapped: the plane of Cr comes before that of Cb.
  public init(_ format: RawFormat, width: Int, height: Int, stride: Int, isSwapped: Bool = false) {
    var luma = Self.stride(stride, format, 0, width)
    // Pairs of an odd width are longer than its line of Y.
    if format.planeCount == 2, format.chromaStride(luma) < format.lineBytes(1, width: width) {
      luma = format.lineBytes(1, width: width)
    }
    let chroma = format.chromaStride(luma)
    let first = luma * height
    let second = first + chroma * format.lines(1, height: height)
    self.init(
      format, width, height, Place(memory: 0, offset: 0, stride: luma), Place(memory: 0, offset: first, stride: chroma),
      Place(memory: 0, offset: second, stride: chroma), isSwapped)
  }

  /// A memory for each plane.
  /// - Parameters:
  ///   - strides: bytes from line to line of each plane; 0, or too few for a line: there is nothing between lines.
  ///   - isSwapped: the plane of Cr comes before that of Cb.
  public init(_ format: RawFormat, width: Int, height: Int, strides: [Int], isSwapped: Bool = false) {
    func place(_ plane: Int) -> Place {
      let stride = plane < strides.count ? strides[plane] : 0
      return Place(memory: plane, offset: 0, stride: Self.stride(stride, format, plane, width))
    }
    self.init(format, width, height, place(0), place(1), place(2), isSwapped)
  }

  private init(
    _ format: RawFormat, _ width: Int, _ height: Int, _ first: Place, _ second: Place, _ third: Place, _ isSwapped: Bool
  ) {
    self.format = format
    self.width = width
    self.height = height
    places = isSwapped ? (first, third, second) : (first, second, third)
  }

  private static func stride(_ told: Int, _ format: RawFormat, _ plane: Int, _ width: Int) -> Int {
    max(told, format.lineBytes(plane, width: width))
  }

  public static func == (left: RawLayout, right: RawLayout) -> Bool {
    left.format == right.format && left.width == right.width && left.height == right.height
      && left.places == right.places
  }

  /// The picture that lies in one to three memories, which must hold as long as it is used.
  public func picture(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0),
    _ third: UnsafeRawBufferPointer = .init(start: nil, count: 0)
  ) -> RawPicture {
    func plane(_ index: Int, _ place: Place) -> RawPicture.Plane {
      guard index < format.planeCount else { return RawPicture.Plane() }
      let memory = place.memory == 0 ? first : place.memory == 1 ? second : third
      return RawPicture.Plane(
        memory, place, lineBytes: format.lineBytes(index, width: width), lines: format.lines(index, height: height))
    }
    let planes = (plane(0, places.0), plane(1, places.1), plane(2, places.2))
    let isWhole =
      planes.0.lines == format.lines(0, height: height)
      && (format.planeCount < 2 || planes.1.lines == format.lines(1, height: height))
      && (format.planeCount < 3 || planes.2.lines == format.lines(2, height: height))
    return RawPicture(planes: planes, isWhole: isWhole)
  }
}
