import JPEGCodec
import LinuxIO
import RTPCore
import Statistics
import V4L2Capture

/// One thing that is measured.
struct Benchmark: Sendable {
  let name: String
  /// Gets ready for it.
  let prepare: @Sendable () throws -> Work

  /// What is done so often that it counts.
  struct Work {
    /// How many of something one iteration has, such as a frame's packets.
    var units = 1
    var unit = "call"
    /// What it gives depends on all that was done, so that nothing is left out.
    let run: (_ count: Int) throws -> Int
  }

  static let all: [Benchmark] =
    [5, 20, 50, 100, 165, 1000].flatMap { kilobytes in
      [
        Benchmark(name: "packetize \(kilobytes) kB") { try packetize(Picture.jpeg(kilobytes * 1000)) },
        Benchmark(name: "with its end \(kilobytes) kB") { try frame(Picture.jpeg(kilobytes * 1000)) },
      ]
    } + [
      Benchmark(name: "parse a header", prepare: parse), Benchmark(name: "batch 165 kB", prepare: batch),
      Benchmark(name: "depacketize 165 kB", prepare: depacketize), Benchmark(name: "timestamp", prepare: timestamp),
      Benchmark(name: "write a sender report", prepare: writeReport),
      Benchmark(name: "read a receiver report", prepare: readReport),
      Benchmark(name: "read a sender report", prepare: readSenderReport),
      Benchmark(name: "wipe 165 kB", prepare: wipe), Benchmark(name: "arrival 165 kB", prepare: arrival),
      Benchmark(name: "record a time", prepare: record),
    ]

  /// A frame that was encoded here, with the last one's header: headers compared, plan made, packets' headers written.
  private static func packetize(_ jpeg: [UInt8]) throws -> Work {
    var jpeg = jpeg
    return Work(units: try packets(jpeg), unit: "packet") { count in
      var reader = JPEGReader()
      var packetizer = packetizer(jpeg)
      return try jpeg.withUnsafeMutableBytes { jpeg in
        var sum = 0
        for number in 0..<count {
          // No byte of it is 0xFF.
          let end = UInt64(truncatingIfNeeded: number) & 0x0F0F_0F0F_0F0F_0F0F | UInt64(number & 0xF0F0_F0F0) << 28
          jpeg.storeBytes(of: end & 0x7F7F_7F7F_7F7F_7F7F, toByteOffset: jpeg.count - 10, as: UInt64.self)
          let picture = try reader.read(UnsafeRawBufferPointer(jpeg), isExact: true)
          sum &+= try packetizer.plan(picture, timestamp: UInt32(truncatingIfNeeded: number)).count
        }
        return sum
      }
    }
  }

  /// A camera's frame: its end is searched for, every byte of the scan is looked at.
  private static func frame(_ jpeg: [UInt8]) throws -> Work {
    Work(units: try packets(jpeg), unit: "packet") { count in
      var reader = JPEGReader()
      var packetizer = packetizer(jpeg)
      return try jpeg.withUnsafeBytes { jpeg in
        var sum = 0
        for number in 0..<count {
          sum &+= try packetizer.plan(reader.read(jpeg), timestamp: UInt32(truncatingIfNeeded: number)).count
        }
        return sum
      }
    }
  }

  /// A header that is another one each time.
  @Sendable private static func parse() -> Work {
    let jpegs = [Picture.jpeg(5000, quality: 80), Picture.jpeg(5000, quality: 81)]
    return Work { count in
      var reader = JPEGReader()
      return try jpegs[0].withUnsafeBytes { one in
        try jpegs[1].withUnsafeBytes { other in
          var sum = 0
          for number in 0..<count { sum &+= try reader.read(number % 2 == 0 ? one : other, isExact: true).scan.count }
          return sum
        }
      }
    }
  }

  /// What `sendmmsg` is given.
  @Sendable private static func batch() throws -> Work {
    let jpeg = Picture.jpeg(165_000)
    return Work(units: try packets(jpeg), unit: "packet") { count in
      var reader = JPEGReader()
      var packetizer = packetizer(jpeg)
      var batch = PacketBatch(capacity: packetizer.capacity)
      return try jpeg.withUnsafeBytes { jpeg in
        let plan = try packetizer.plan(reader.read(jpeg), timestamp: 0)
        var sum = 0
        for _ in 0..<count {
          batch.removeAll()
          for (first, count) in [(0, 1), (1, plan.count - 2), (plan.count - 1, 1)] {
            let packet = plan[first]
            batch.append(count, header: packet.header, payload: packet.payload)
          }
          sum &+= batch.byteCount(0..<1)
        }
        return sum
      }
    }
  }

  /// Packets of one frame after the other, put together; every scan is copied.
  @Sendable private static func depacketize() throws -> Work {
    let jpeg = Picture.jpeg(165_000)
    return Work(units: try packets(jpeg), unit: "packet") { count in
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
  }

  @Sendable private static func timestamp() -> Work {
    Work { count in
      var clock = MediaClock(offset: 1)
      var sum = 0
      for number in 0..<count { sum &+= Int(clock.frameTimestamp(at: Int64(number) &* 33_333_333)) }
      return sum
    }
  }

  /// One stage's time of a frame.
  @Sendable private static func record() -> Work {
    Work { count in
      var histogram = Histogram()
      for number in 0..<count { histogram.record(Int64(number) &* 1009) }
      return Int(histogram.max)
    }
  }

  @Sendable private static func writeReport() -> Work {
    Work { count in
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
  }

  @Sendable private static func readReport() -> Work {
    let bytes: [UInt8] = [0x81, 201, 0, 7, 0, 0, 0, 9, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 20)
    return Work { count in
      var sender = RTCPSender(name: CanonicalName(), isUnicast: true, now: 0, chance: 0)
      return bytes.withUnsafeBytes { bytes in
        var sum = 0
        for number in 0..<count {
          if case .none = sender.receive(bytes, ssrc: 1, now: Int64(number)) { sum &+= 1 }
        }
        return sum &+ sender.reception.receivers
      }
    }
  }

  /// As our own sender writes it, with its name behind; and the capture time of a frame by it.
  @Sendable private static func readSenderReport() -> Work {
    var sender = RTCPSender(name: CanonicalName(), isUnicast: true, now: 0, chance: 0)
    sender.count(packets: 100, octets: 100_000)
    var bytes = [UInt8](repeating: 0, count: RTCPSender.largestReport)
    let size = bytes.withUnsafeMutableBytes {
      sender.report(ssrc: 1, clock: MediaClock(offset: 1), now: 0, realtime: 0, into: $0, chance: 0.5)
    }
    bytes.removeSubrange(size...)
    return Work { [bytes] count in
      var receiver = RTCPReceiver(isUnicast: true)
      return bytes.withUnsafeBytes { bytes in
        var sum = 0
        for number in 0..<count {
          if case .none = receiver.receive(bytes, source: 1, now: Int64(number)) { sum &+= 1 }
          sum &+= Int(truncatingIfNeeded: receiver.captureTime(of: UInt32(number), source: 1, arrival: 0) ?? 0)
        }
        return sum &+ Int(receiver.senderReports)
      }
    }
  }

  /// A buffer before a driver gets it.
  @Sendable private static func wipe() -> Work {
    Work { count in
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 165_000, alignment: 4096)
      defer { memory.deallocate() }
      let sentinel = Sentinel()
      var sum = 0
      for _ in 0..<count {
        let arrival = Arrival(wiping: memory, with: sentinel)
        sum &+= arrival.seen
      }
      return sum &+ Int(memory[sum])
    }
  }

  /// All of a frame at one visit.
  @Sendable private static func arrival() -> Work {
    let jpeg = Picture.jpeg(165_000)
    return Work { count in
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: jpeg.count, alignment: 4096)
      defer { memory.deallocate() }
      let wiped = Arrival(wiping: memory, with: Sentinel())
      memory.copyBytes(from: jpeg)
      var sum = 0
      for _ in 0..<count {
        var arrival = wiped
        sum &+= arrival.visit().count &+ arrival.seen
      }
      return sum
    }
  }

  private static func packetizer(_ jpeg: [UInt8]) -> Packetizer {
    Packetizer(packetSize: 1400, largestFrame: jpeg.count, payloadType: 26, ssrc: 1, sequence: 0)
  }

  private static func packets(_ jpeg: [UInt8]) throws -> Int {
    var packetizer = packetizer(jpeg)
    var reader = JPEGReader()
    return try jpeg.withUnsafeBytes { try packetizer.plan(reader.read($0), timestamp: 0).count }
  }
}
