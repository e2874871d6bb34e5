/// A camera's bytes. The input is a frame, and at the same time a file of pictures; all go through the same readers, one
/// after the other. What is read of them is sent, and must be received as it was.
@_cdecl("fuzz_jpeg")
public func fuzzJPEG(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  // The parameters of the test are the frame's last bytes, which may be junk after its end.
  let choice = input.suffix(4).reduce(0) { $0 << 8 | Int($1) }
  var camera = Camera(choice)
  camera.give(input)
  // A header that is almost the one before.
  withCopy(of: input) { frame in
    if count > 0 { frame[choice / 8 % count] ^= 1 << UInt8(choice % 8) }
    camera.give(UnsafeRawBufferPointer(frame))
  }
  let cut = UnsafeRawBufferPointer(rebasing: input.prefix(choice / 8 % (count + 1)))
  withCopy(of: cut) { camera.give(UnsafeRawBufferPointer($0)) }

  let ranges = JPEGExtent.ranges(in: input)
  var end = 0
  for range in ranges {
    precondition(range.lowerBound >= end && range.count >= 2 && range.upperBound <= count)
    precondition(input[range].starts(with: [0xFF, 0xD8]))
    end = range.upperBound
  }
  for range in ranges.prefix(3) {
    withCopy(of: UnsafeRawBufferPointer(rebasing: input[range])) { camera.give(UnsafeRawBufferPointer($0)) }
  }
  return 0
}

private struct Camera: ~Copyable {
  private struct Reading: Equatable {
    var header: JPEGHeader
    var scan: Range<Int>
    var isRepaired: Bool
  }

  private var strict = JPEGReader()
  private var repairing = JPEGReader(repairs: true)
  private let choice: Int

  init(_ choice: Int) { self.choice = choice }

  mutating func give(_ frame: UnsafeRawBufferPointer) {
    var first = JPEGReader()
    var firstRepairing = JPEGReader(repairs: true)
    let read = Self.read(frame, &strict)
    let repaired = Self.read(frame, &repairing)
    precondition(read == Self.read(frame, &first), "the frames before do not matter")
    precondition(repaired == Self.read(frame, &firstRepairing), "the frames before do not matter")
    if read == .failure(.noEOI) || read == .failure(.interruptedScan), case .success(let reading) = repaired {
      precondition(reading.isRepaired)
    } else {
      precondition(read == repaired, "only what was cut is repaired")
    }

    guard case .success(let reading) = repaired else { return }
    let header = reading.header
    precondition(header.start < header.scanOffset && header.scanOffset <= reading.scan.lowerBound)
    precondition(frame[header.start] == 0xFF && frame[header.start + 1] == 0xD8)
    if !reading.isRepaired {
      let end = reading.scan.upperBound
      let extent = JPEGExtent(frame, at: header.start)
      precondition(extent.width == header.width && extent.height == header.height)
      precondition(extent.range.map { $0.upperBound >= end } ?? true, "it ends with the picture")
      // What is exact begins with its picture.
      let exact = Self.read(UnsafeRawBufferPointer(rebasing: frame[..<end]), &strict, isExact: true)
      precondition(header.start > 0 || exact == .success(reading))
    }
    send(
      JPEGPicture(
        header: reading.header, scan: UnsafeRawBufferPointer(rebasing: frame[reading.scan]),
        isRepaired: reading.isRepaired))
  }

  private static func read(
    _ frame: UnsafeRawBufferPointer, _ reader: inout JPEGReader, isExact: Bool = false
  ) -> Result<Reading, JPEGFault> {
    do throws(JPEGFault) {
      let picture = try reader.read(frame, isExact: isExact)
      let start = picture.header.scanOffset
      precondition(picture.scan.baseAddress == frame.baseAddress.map { $0 + start }, "it is not copied")
      return .success(
        Reading(header: picture.header, scan: start..<start + picture.scan.count, isRepaired: picture.isRepaired))
    } catch { return .failure(error) }
  }

  /// The picture through packets, in their order or in reverse.
  private func send(_ picture: JPEGPicture) {
    let packetSize = Packetizer.packetSizes.lowerBound + choice / 8 % 1500
    let extends = choice & 1 != 0
    let turns = choice & 2 != 0
    let changesSize = choice & 4 != 0
    let sequence = UInt16(truncatingIfNeeded: choice)
    let timestamp = UInt32(truncatingIfNeeded: choice)
    let header = picture.header
    let largest = header.scanOffset + picture.scan.count
    var packetizer = Packetizer(
      packetSize: changesSize ? 1000 : packetSize, largestFrame: largest, payloadType: 26, ssrc: 1,
      onvifExtension: extends, sequence: sequence)
    if changesSize {
      _ = try? packetizer.plan(picture, timestamp: timestamp)
      packetizer.takeBack()
      packetizer.setPacketSize(packetSize, largestFrame: largest)
    }
    guard let plan = try? packetizer.plan(picture, timestamp: timestamp) else {
      preconditionFailure("there is room for it")
    }
    precondition(RTPHeader.read(plan[0].header)?.header.sequence == sequence)
    var depacketizer = Depacketizer(dimensions: (header.width, header.height), largestScan: picture.scan.count)
    var byteCount = 0
    for place in 0..<plan.count {
      let index = turns ? plan.count - 1 - place : place
      withCopy(of: plan[index].header, plan[index].payload) { packet in
        byteCount += packet.count
        precondition(packet.count <= packetSize && plan[index].payload.count > 0)
        precondition(packet.count == packetSize || index == plan.count - 1)
        switch depacketizer.receive(UnsafeRawBufferPointer(packet), arrival: 0) {
        case .none: precondition(place < plan.count - 1, "it is whole")
        case .frame(let jpeg, let width, let height, let time):
          precondition(place == plan.count - 1 && time == timestamp, "it is not whole yet")
          let isExact = extends || max(header.width, header.height) > 2040
          precondition(width == (isExact ? Int(header.width) : (Int(header.width) + 7) / 8 * 8))
          precondition(height == (isExact ? Int(header.height) : (Int(header.height) + 7) / 8 * 8))
          check(jpeg, width, height, against: picture)
        }
      }
    }
    precondition(byteCount == plan.byteCount)
    depacketizer.finish()
    precondition(depacketizer.frames == 1 && depacketizer.incomplete == 0 && depacketizer.malformed == 0)
    precondition(depacketizer.statistics.lost == 0 && depacketizer.statistics.packets == plan.count)
  }

  private func check(_ jpeg: UnsafeRawBufferPointer, _ width: Int, _ height: Int, against picture: JPEGPicture) {
    var reader = JPEGReader()
    guard let received = try? reader.read(jpeg, isExact: true) else { preconditionFailure("it can't be read again") }
    precondition(received.header.width == width && received.header.height == height)
    precondition(received.header.sampling == picture.header.sampling)
    precondition(received.header.tables == picture.header.tables)
    precondition(received.header.restartInterval == picture.header.restartInterval)
    let hasEnd = picture.scan.suffix(2).elementsEqual([0xFF, 0xD9])
    precondition(received.scan.elementsEqual(Array(picture.scan) + (hasEnd ? [] : [0xFF, 0xD9])))
  }
}
