/// A network's packets: the input has each after its length in two bytes. They come a millisecond apart; after one of no
/// bytes comes a silence in which another source may take over; one of one byte stands for the source's goodbye; one of
/// two bytes has the packets after it come from another address.
@_cdecl("fuzz_packets")
public func fuzzPackets(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  for dimensions in [nil, (width: UInt16(4000), height: UInt16(3000))] {
    var receiver = Receiver(dimensions)
    var reader = ByteReader(input)
    while let length = reader.word(), let packet = reader.take(min(Int(length), reader.remaining)) {
      withCopy(of: packet.rest) { receiver.take(UnsafeRawBufferPointer($0)) }
    }
    receiver.end()
  }
  return 0
}

private struct Receiver: ~Copyable {
  private var depacketizer: Depacketizer
  private var now: Int64 = 0
  private var packets: UInt64 = 0
  private var frames: UInt64 = 0
  private var address = TransportAddress()
  /// What came of scans, with its timestamp.
  private var parts: [(timestamp: UInt32, offset: Int, bytes: [UInt8])] = []
  private var wasExtended = false

  init(_ dimensions: (width: UInt16, height: UInt16)?) {
    // No more than inputs can fill: AddressSanitizer's blocks cost what they have of bytes.
    depacketizer = Depacketizer(dimensions: dimensions, largestScan: 1 << 15)
  }

  mutating func take(_ packet: UnsafeRawBufferPointer) {
    if let read = RTPHeader.read(packet), let fragment = try? Fragment(read) {
      parts.append((read.header.timestamp, Int(fragment.header.offset), Array(fragment.scan)))
      wasExtended = wasExtended || fragment.onvif != nil
    }
    let before = depacketizer.source
    let event = depacketizer.receive(packet, from: address, arrival: now)
    if case .frame(let jpeg, let width, let height, let timestamp) = event {
      frames += 1
      check(jpeg, width, height, timestamp: timestamp)
      precondition(depacketizer.source?.address == address, "a frame's last packet is of the stream")
    }
    precondition(depacketizer.source == before || depacketizer.source?.address == address)
    if packet.count == 1 { depacketizer.endSource() }
    if packet.count == 2 { address = TransportAddress(port: address.port &+ UInt16(packet[0])) }
    packets += 1
    now += packet.isEmpty ? 2_000_000_000 : 1_000_000
  }

  private func scanOffset(in jpeg: UnsafeRawBufferPointer) -> Int? {
    var segments = JPEGSegments(jpeg, at: 2)
    while case .segment(let marker, _) = try? segments.next() { if marker == 0xDA { return segments.offset } }
    return nil
  }

  private func check(_ jpeg: UnsafeRawBufferPointer, _ width: Int, _ height: Int, timestamp: UInt32) {
    precondition(jpeg.suffix(2).elementsEqual([0xFF, 0xD9]))
    // What a scan has in it is the decoder's business: another picture's beginning may stand there.
    let extent = JPEGExtent(jpeg, at: 0)
    precondition([Int(extent.width), Int(extent.height)] == [width, height])
    do throws(JPEGFault) {
      _ = try JPEGHeader(jpeg)
    } catch .unsupported(let what) {
      // ONVIF's extension can carry more than RFC 2435, but no JPEG that is none.
      precondition(wasExtended && [.components, .sampling, .huffman, .tables].contains(what), "unsupported \(what)")
    } catch { preconditionFailure("\(error)") }

    guard let start = scanOffset(in: jpeg) else { preconditionFailure("it has no scan") }
    let scan = UnsafeRawBufferPointer(rebasing: jpeg[start...])
    var came = [Bool](repeating: false, count: scan.count)
    for part in parts where part.timestamp == timestamp {
      for (index, byte) in zip(part.offset..., part.bytes) where index < scan.count && scan[index] == byte {
        came[index] = true
      }
    }
    precondition(came.dropLast(2).allSatisfy { $0 }, "a byte of the scan came in no packet")
  }

  consuming func end() {
    depacketizer.finish()
    let incomplete = depacketizer.incomplete
    depacketizer.finish()
    precondition(depacketizer.incomplete == incomplete)
    precondition(depacketizer.frames == frames && frames + incomplete <= packets)
    precondition((depacketizer.foreign > 0) == (depacketizer.firstForeign != nil))
    precondition(depacketizer.unsized <= incomplete)
    precondition(depacketizer.malformed + depacketizer.foreign <= packets)
    let faults = depacketizer.faults
    // Each of these is of a frame of its own that began, of a packet, or of a frame that was whole.
    precondition(faults.repeated + faults.backward <= frames + incomplete && faults.unmarked <= incomplete)
    precondition(faults.changed + faults.continued <= depacketizer.malformed && faults.withoutTables <= incomplete)
    precondition(depacketizer.malformedOfStream <= depacketizer.malformed)
    let statistics = depacketizer.statistics
    // A malformed packet of the stream is in both.
    let total = statistics.packets + depacketizer.foreign + depacketizer.malformed
    precondition(total - depacketizer.malformedOfStream == packets)
    precondition(statistics.duplicates + statistics.reordered <= statistics.packets)
    precondition(statistics.jitterMicroseconds >= 0 && statistics.jitterMicroseconds < 1e11)
  }
}
