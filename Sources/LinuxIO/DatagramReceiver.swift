import CLinux
import Glibc

/// A UDP socket that receives many datagrams a call into memory of its own.
public struct DatagramReceiver: ~Copyable {
  private let sockets: ListeningSockets
  private let memory: UnsafeMutableRawPointer
  private let ranges: UnsafeMutablePointer<iovec>
  private let messages: UnsafeMutablePointer<mmsghdr>
  private let control: UnsafeMutableRawPointer
  private let sources: UnsafeMutablePointer<sockaddr_in6>

  /// The largest datagram of UDP, in bytes.
  private static let largest = 65_536
  private static let batch = 32
  private static let controlSpace = CLINUX_OVERFLOW_SPACE + CLINUX_LOCAL_ADDRESS_SPACE

  /// Datagrams that the kernel dropped since the start because a socket's buffer was full (SO_RXQ_OVFL).
  public var kernelDropped: UInt64 { dropped.first &+ dropped.second }
  private var dropped: (first: UInt64, second: UInt64) = (0, 0)
  /// The second socket is read first the next time: none waits for ever.
  private var isSecondsTurn = false

  /// Binds to an address of this machine, or joins the multicast group that `address` is.
  /// - Parameter bufferBytes: the socket's buffer that is asked for; see `bufferBytes`.
  public init(at address: SocketAddress, bufferBytes: Int) throws(SystemCallError) {
    try self.init(at: [address], bufferBytes: bufferBytes)
  }

  /// Binds to the addresses of a name: to the first one of each family.
  public init(at addresses: [SocketAddress], bufferBytes: Int) throws(SystemCallError) {
    let sockets = try Self.open(addresses, bufferBytes)
    self.sockets = sockets
    memory = .allocate(byteCount: Self.batch * Self.largest, alignment: 16)
    control = .allocate(byteCount: Self.batch * Self.controlSpace, alignment: 16)
    ranges = .allocate(capacity: Self.batch)
    messages = .allocate(capacity: Self.batch)
    sources = .allocate(capacity: Self.batch)
    sources.initialize(repeating: sockaddr_in6(), count: Self.batch)
    for index in 0..<Self.batch {
      (ranges + index).initialize(
        to: iovec(iov_base: memory + index * Self.largest, iov_len: Self.largest))
      var message = mmsghdr()
      message.msg_hdr.msg_iov = ranges + index
      message.msg_hdr.msg_iovlen = 1
      message.msg_hdr.msg_name = UnsafeMutableRawPointer(sources + index)
      (messages + index).initialize(to: message)
    }
  }

  private static func open(
    _ addresses: [SocketAddress], _ bufferBytes: Int
  ) throws(SystemCallError) -> ListeningSockets {
    do throws(SystemCallError) {
      return try ListeningSockets.open(at: addresses) { socket, family in
        socket.setBuffer(SO_RCVBUF, forced: SO_RCVBUFFORCE, bytes: bufferBytes)
        _ = socket.set(SOL_SOCKET, SO_RXQ_OVFL, Int32(1))
        socket.tellLocalAddresses(family)
      }
    } catch {
      throw error.withRemedy(remedy(error.errno))
    }
  }

  private static func remedy(_ errno: Errno) -> String? {
    switch errno {
    case .addressInUse: "another program receives there; take another port"
    case .addressNotAvailable: "it is not an address of this machine ('ip address' shows those that are)"
    default: nil
    }
  }

  deinit {
    memory.deallocate()
    control.deallocate()
    ranges.deallocate()
    messages.deallocate()
    sources.deallocate()
  }

  /// For epoll.
  public var number: Int32 { sockets.fileDescriptor }

  /// Where it listens.
  public var localAddress: SocketAddress { sockets.first.localAddress }
  public var localAddresses: [SocketAddress] { sockets.localAddresses }

  /// The socket's buffer in bytes of the kernel's accounting (about 2.3 kB a packet of 1400 bytes).
  public var bufferBytes: Int { Int(sockets.first.get(SOL_SOCKET, SO_RCVBUF) ?? 0) }

  /// Receives what is there, at most 32 datagrams.
  /// - Returns: how many; `datagram(at:)` gives them until the next call.
  public mutating func receive() -> Int {
    for index in 0..<Self.batch {
      messages[index].msg_hdr.msg_control = control + index * Self.controlSpace
      messages[index].msg_hdr.msg_controllen = Self.controlSpace
      messages[index].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_in6>.size)
    }
    guard sockets.secondDescriptor != nil else { return receive(after: 0, isSecond: false) }
    isSecondsTurn.toggle()
    let count = receive(after: 0, isSecond: isSecondsTurn)
    return count + receive(after: count, isSecond: !isSecondsTurn)
  }

  /// Receives what is there on one socket.
  /// - Parameter taken: how many datagrams of this call there are already.
  private mutating func receive(after taken: Int, isSecond: Bool) -> Int {
    guard taken < Self.batch else { return 0 }
    let fileDescriptor = isSecond ? sockets.secondDescriptor ?? -1 : sockets.first.number
    let count = Int(
      retrying { recvmmsg(fileDescriptor, messages + taken, UInt32(Self.batch - taken), 0, nil) }.result)
    guard count > 0 else { return 0 }
    let counter = clinux_receive_overflow(&messages[taken + count - 1].msg_hdr)
    guard counter >= 0 else { return count }
    // The kernel counts in 32 bits.
    let before = UInt32(truncatingIfNeeded: isSecond ? dropped.second : dropped.first)
    let more = UInt64(UInt32(truncatingIfNeeded: counter) &- before)
    if isSecond { dropped.second &+= more } else { dropped.first &+= more }
    return count
  }

  /// Datagram `index` of the last `receive`.
  public func datagram(at index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory + index * Self.largest, count: Int(messages[index].msg_len))
  }

  /// Who sent datagram `index` of the last `receive`.
  public func source(at index: Int) -> SocketAddress {
    SocketAddress(storage: sources[index], length: messages[index].msg_hdr.msg_namelen)
  }

  /// The address of this machine that datagram `index` of the last `receive` came to; nil: it came to a group.
  public func destination(at index: Int) -> SocketAddress? {
    var storage = sockaddr_in6()
    let length = clinux_local_address(&messages[index].msg_hdr, &storage)
    let address = SocketAddress(storage: storage, length: socklen_t(length))
    return length == 0 || address.isMulticast ? nil : address
  }

  /// Sends one datagram from here, such as a report.
  /// - Parameter local: this machine's address that it leaves from; nil: the routing table's.
  public func send(
    _ bytes: UnsafeRawBufferPointer, to address: SocketAddress, from local: SocketAddress? = nil
  ) -> Errno? {
    sockets.send(bytes, to: address, from: local)
  }
}
