import CLinux
import LinuxIO

extension Device {
  /// All that the camera has (VIDIOC_ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS), in the driver's order. A driver
  /// that can't enumerate sizes gives the one that it would set.
  /// - Parameter wanted: the size at which a driver with a range of sizes is asked for its rates, and one that can't
  ///   enumerate them for its nearest.
  public func modes(near wanted: FrameSize = ModeRequest.usualSize) -> [Mode] {
    formats().flatMap { format in
      let sizes = sizes(of: format)
      return (sizes.isEmpty ? triedSize(of: format, wanted) : sizes).map { range in
        Mode(format: format, sizes: range, rates: rates(of: format, at: range.nearest(to: wanted)))
      }
    }
  }

  // An endless enumeration is a driver's fault that shall not hang us.
  private static let most: UInt32 = 1024

  private func formats() -> [PixelFormat] {
    enumerate(v4l2_fmtdesc(), CLINUX_VIDIOC_ENUM_FMT) { entry, index in
      entry.index = index
      entry.type = bufferType
    }.map { PixelFormat(rawValue: $0.pixelformat) }
  }

  private func sizes(of format: PixelFormat) -> [SizeRange] {
    let entries = enumerate(v4l2_frmsizeenum(), CLINUX_VIDIOC_ENUM_FRAMESIZES) { entry, index in
      entry.index = index
      entry.pixel_format = format.rawValue
    }
    // A range has one entry only.
    if let first = entries.first, first.type != V4L2_FRMSIZE_TYPE_DISCRETE.rawValue {
      let range = first.stepwise
      let sizes = SizeRange(
        reported: FrameSize(range.min_width, range.min_height), to: FrameSize(range.max_width, range.max_height),
        step: FrameSize(range.step_width, range.step_height))
      return sizes.map { [$0] } ?? []
    }
    return entries.map { FrameSize($0.discrete.width, $0.discrete.height) }.filter(\.isPossible).map { SizeRange($0) }
  }

  private func rates(of format: PixelFormat, at size: FrameSize) -> RateRange {
    let entries = enumerate(v4l2_frmivalenum(), CLINUX_VIDIOC_ENUM_FRAMEINTERVALS) { entry, index in
      entry.index = index
      entry.pixel_format = format.rawValue
      entry.width = size.width
      entry.height = size.height
    }
    func rate(_ interval: v4l2_fract) -> FrameRate? { FrameRate(interval.denominator, interval.numerator) }
    if let first = entries.first, first.type != V4L2_FRMIVAL_TYPE_DISCRETE.rawValue {
      let ends = [rate(first.stepwise.min), rate(first.stepwise.max)].compactMap { $0 }
      return RateRange(ends, isContinuous: true)
    }
    return RateRange(entries.compactMap { rate($0.discrete) })
  }

  private func triedSize(of format: PixelFormat, _ wanted: FrameSize) -> [SizeRange] {
    guard let given = try? tryFormat(format, wanted), given.format == format else { return [] }
    return [SizeRange(given.size)]
  }

  /// Asks for entry after entry until the driver says that there are no more.
  private func enumerate<Entry>(
    _ empty: Entry, _ code: UInt, _ prepare: (inout Entry, UInt32) -> Void
  ) -> [Entry] {
    var entries: [Entry] = []
    for index in 0..<Self.most {
      var entry = empty
      prepare(&entry, index)
      if descriptor.control(code, &entry) != nil { break }
      entries.append(entry)
    }
    return entries
  }
}
