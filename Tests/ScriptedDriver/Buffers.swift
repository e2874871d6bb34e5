import CLinux
import CScriptedDriver
import Glibc

extension ScriptedDriver {
  struct Buffer {
    /// Bytes of each of its memories.
    var sizes: [UInt32]
    /// Where those are mapped.
    var memories: [UnsafeMutableRawBufferPointer?]
  }

  func allocate(_ request: inout v4l2_requestbuffers) -> Int32 {
    let (code, width, height) =
      isMultiPlanar
      ? (format.fmt.pix_mp.pixelformat, format.fmt.pix_mp.width, format.fmt.pix_mp.height)
      : (format.fmt.pix.pixelformat, format.fmt.pix.width, format.fmt.pix.height)
    let sizes = Self.planes(code, width, height).map(\.bytes)
    request.count = min(request.count, mostBuffers)
    buffers = (0..<Int(request.count)).map { _ in Buffer(sizes: sizes, memories: sizes.map { _ in nil }) }
    queued = []
    return 0
  }

  func describe(_ given: inout v4l2_buffer) -> Int32 {
    guard given.index < buffers.count else { return EINVAL }
    let index = Int(given.index)
    let sizes = buffers[index].sizes
    guard isMultiPlanar else {
      given.length = sizes.first ?? 0
      given.m.offset = UInt32(index) << 16
      return 0
    }
    for plane in sizes.indices.prefix(Int(given.length)) {
      given.m.planes[plane].length = sizes[plane]
      given.m.planes[plane].m.mem_offset = UInt32(index) << 16 | UInt32(plane) << 12
    }
    given.length = UInt32(sizes.count)
    return 0
  }

  /// Memory of exactly the length that is asked for, on the heap: AddressSanitizer sees what reads past its end.
  func map(_ length: Int, offset: Int) -> UnsafeMutableRawPointer? {
    locked {
      guard length <= Self.mostBytes else { return nil }
      // Zeros that need not be written: a driver may have 32 buffers of megabytes, of which a frame fills a part.
      guard let start = calloc(1, length) else { return nil }
      let memory = UnsafeMutableRawBufferPointer(start: start, count: length)
      mappedCount += 1
      let (index, plane) = (offset >> 16, offset >> 12 & 15)
      if buffers.indices.contains(index), buffers[index].memories.indices.contains(plane) {
        buffers[index].memories[plane] = memory
      }
      return start
    }
  }

  /// No driver has buffers of more.
  private static var mostBytes: Int { 1 << 26 }

  func unmap(_ memory: UnsafeMutableRawPointer) {
    locked {
      for index in buffers.indices {
        for plane in buffers[index].memories.indices where buffers[index].memories[plane]?.baseAddress == memory {
          buffers[index].memories[plane] = nil
        }
      }
      free(memory)
      mappedCount -= 1
    }
  }

  func queue(_ given: v4l2_buffer) -> Int32 {
    let index = Int(given.index)
    guard buffers.indices.contains(index), !queued.contains(index) else { return EINVAL }
    queued.append(index)
    return 0
  }

  func stream(_ isOn: Bool) -> Int32 {
    isStreaming = isOn
    if !isOn { queued = [] }
    return 0
  }

  func dequeue(_ given: inout v4l2_buffer) -> Int32 {
    guard isStreaming else { return EINVAL }
    guard !pictures.isEmpty else {
      show(false)
      onEnd?()
      return EAGAIN
    }
    guard !queued.isEmpty else { return EAGAIN }
    let (index, picture) = (queued.removeFirst(), pictures.removeFirst())
    given.index = UInt32(index)
    given.flags = picture.flags
    sequence = picture.sequence ?? sequence &+ 1
    given.sequence = sequence
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let time = picture.timestamp ?? Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    given.timestamp = timeval(tv_sec: Int(time / 1_000_000_000), tv_usec: Int(time % 1_000_000_000 / 1000))
    let sizes = buffers[index].memories.enumerated().map { plane, memory in
      let bytes = plane < picture.planes.count ? picture.planes[plane] : []
      memory?.copyBytes(from: bytes.prefix(memory?.count ?? 0))
      return UInt32(bytes.count)
    }
    guard isMultiPlanar else {
      given.bytesused = sizes.first ?? 0
      return 0
    }
    for plane in sizes.indices.prefix(Int(given.length)) {
      given.m.planes[plane].bytesused = sizes[plane]
      given.m.planes[plane].data_offset = 0
    }
    return 0
  }

  /// Gives frames to a camera that may be running already, and tells when the last one was taken.
  public func give(_ pictures: [Picture], onEnd: @escaping () -> Void) {
    locked {
      self.pictures += pictures
      self.onEnd = onEnd
      show(true)
    }
  }
}
