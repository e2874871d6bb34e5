import JPEGCodec
import LinuxIO
import RTPCore

/// One thing that is measured: what it does so often that it counts.
struct Benchmark: Sendable {
  let name: String
  /// What one iteration consists of, such as a frame's packets.
  let units: Int
  let unit: String
  /// Does it so often. What it gives depends on all that was done, so that nothing is left out.
  let run: @Sendable (_ count: Int) throws -> Int

  static let all: [Benchmark] =
    [5, 20, 50, 100, 165, 1000].flatMap { kilobytes in
      [packetize(kilobytes), frame(kilobytes)]
    } + [end, parse, batch, depacketize, timestamp, report, hear]

  private static let packetSize = 1400

  private static func packetizer(_ jpeg: [UInt8]) -> Packetizer {
    Packetizer(packetSize: packetSize, largestFrame: jpeg.count, payloadType: 26, ssrc: 1, sequence: 0)
  }

  private static func packets(_ jpeg: [UInt8]) -> Int {
    var packetizer = packetizer(jpeg)
    var reader = JPEGReader()
    return jpeg.withUnsafeBytes { jpeg in
      guard let picture = try? reader.read(jpeg), let plan = try? packetizer.plan(picture, timestamp: 0) else {
        return 0
      }
      return plan.count
    }
  }

  /// A frame whose header is the last one's: headers compared, plan made, packets' headers written.
  private static func packetize(_ kilobytes: Int) -> Benchmark {
    let jpeg = Picture.jpeg(kilobytes * 1000)
    return Benchmark(name: "packetize \(kilobytes) kB", units: packets(jpeg), unit: "packet") { count in
      var reader = JPEGReader()
      var packetizer = packetizer(jpeg)
      return try jpeg.withUnsafeBytes { jpeg in
        let scan = try reader.read(jpeg).scan
        var sum = 0
        for number in 0..<count {
          let picture = JPEGPicture(header: try reader.header(of: jpeg), scan: scan, isRepaired: false)
          let plan = try packetizer.plan(picture, timestamp: UInt32(truncatingIfNeeded: number))
          sum &+= plan.count &+ Int(plan[plan.count - 1].header[3])
        }
        return sum
      }
    }
  }

  /// The same with the search for the picture's end, which looks at every byte of the scan.
  private static func frame(_ kilobytes: Int) -> Benchmark {
    let jpeg = Picture.jpeg(kilobytes * 1000)
    return Benchmark(name: "with its end \(kilobytes) kB", units: packets(jpeg), unit: "packet") { count in
      var reader = JPEGReader()
      var packetizer = packetizer(jpeg)
      return try jpeg.withUnsafeBytes { jpeg in
        var sum = 0
        for number in 0..<count {
          let plan = try packetizer.plan(reader.read(jpeg), timestamp: UInt32(truncatingIfNeeded: number))
          sum &+= plan.count &+ Int(plan[plan.count - 1].header[3])
        }
        return sum
      }
    }
  }

  private static let end: Benchmark = {
    let jpeg = Picture.jpeg(165_000)
    return Benchmark(name: "end of a scan", units: 165, unit: "kB") { count in
      var reader = JPEGReader()
      return try jpeg.withUnsafeBytes { jpeg in
        var sum = 0
        for _ in 0..<count { sum &+= try reader.read(jpeg).scan.count }
        return sum
      }
    }
  }()

  /// A header that is another one each time.
  private static let parse: Benchmark = {
    let jpegs = [Picture.jpeg(5000, quality: 80), Picture.jpeg(5000, quality: 81)]
    return Benchmark(name: "parse a header", units: 1, unit: "header") { count in
      var reader = JPEGReader()
      return try jpegs[0].withUnsafeBytes { one in
        try jpegs[1].withUnsafeBytes { other in
          var sum = 0
          for number in 0..<count { sum &+= try reader.header(of: number % 2 == 0 ? one : other).scanOffset }
          return sum
        }
      }
    }
  }()

  /// What `sendmmsg` is given.
  private static let batch: Benchmark = {
    let jpeg = Picture.jpeg(165_000)
    return Benchmark(name: "batch 165 kB", units: packets(jpeg), unit: "packet") { count in
      var reader = JPEGReader()
      var packetizer = packetizer(jpeg)
      var batch = PacketBatch(capacity: packetizer.capacity)
      return try jpeg.withUnsafeBytes { jpeg in
        let plan = try packetizer.plan(reader.read(jpeg), timestamp: 0)
        var sum = 0
        for _ in 0..<count {
          batch.removeAll()
          for index in 0..<plan.count {
            let packet = plan[index]
            batch.append(header: packet.header, payload: packet.payload)
          }
          sum &+= batch.byteCount(0..<1)
        }
        return sum
      }
    }
  }()

  /// Packets of one frame after the other, put together; every scan is copied.
  private static let depacketize: Benchmark = {
    let jpeg = Picture.jpeg(165_000)
    return Benchmark(name: "depacketize 165 kB", units: packets(jpeg), unit: "packet") { count in
      var reader = JPEGReader()
      var packetizer = packetizer(jpeg)
      var depacketizer = Depacketizer()
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1500, alignment: 16)
      defer { memory.deallocate() }
      return try jpeg.withUnsafeBytes { jpeg in
        var sum = 0
        for number in 0..<count {
          let plan = try packetizer.plan(reader.read(jpeg), timestamp: UInt32(truncatingIfNeeded: number &* 3000))
          for index in 0..<plan.count {
            let (header, payload) = plan[index]
            memory.copyMemory(from: header)
            UnsafeMutableRawBufferPointer(rebasing: memory[header.count...]).copyMemory(from: payload)
            let datagram = UnsafeRawBufferPointer(rebasing: memory[..<(header.count + payload.count)])
            if case .frame(let file, _, _, _) = depacketizer.receive(datagram, arrival: Int64(number)) {
              sum &+= file.count
            }
          }
        }
        return sum
      }
    }
  }()

  private static let timestamp = Benchmark(name: "timestamp", units: 1, unit: "timestamp") { count in
    var clock = MediaClock(offset: 1)
    var sum = 0
    for number in 0..<count { sum &+= Int(clock.frameTimestamp(at: Int64(number) &* 33_333_333)) }
    return sum
  }

  private static let report = Benchmark(name: "write a sender report", units: 1, unit: "report") { count in
    var sender = RTCPSender(name: CanonicalName(), isUnicast: true, now: 0, chance: 0)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: RTCPSender.largestReport, alignment: 8)
    defer { memory.deallocate() }
    let clock = MediaClock(offset: 1)
    var sum = 0
    for number in 0..<count {
      sender.count(packets: 100, octets: 100_000)
      let now = Int64(number) &* 10_000_000_000
      sum &+= sender.report(ssrc: 1, clock: clock, now: now, realtime: now, into: memory, chance: 0.5)
    }
    return sum
  }

  private static let hear = Benchmark(name: "read a receiver report", units: 1, unit: "report") { count in
    var sender = RTCPSender(name: CanonicalName(), isUnicast: true, now: 0, chance: 0)
    let bytes: [UInt8] = [0x81, 201, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 20)
    return bytes.withUnsafeBytes { bytes in
      var sum = 0
      for number in 0..<count {
        if case .none = sender.receive(bytes, ssrc: 1, now: Int64(number)) { sum &+= 1 }
      }
      return sum &+ sender.reception.receivers
    }
  }
}
