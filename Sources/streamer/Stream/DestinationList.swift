import LinuxIO

/// A camera's receivers. They can't be copied, so Swift's Array can't hold them.
struct DestinationList: ~Copyable {
  private var list: UnsafeMutablePointer<Destination>
  private var capacity = 2
  private(set) var count = 0
  private var lastID: UInt32 = 0

  init() { list = .allocate(capacity: 2) }

  deinit {
    list.deinitialize(count: count)
    list.deallocate()
  }

  /// By its address: what yields, where it is not inlined, allocates a frame for it.
  subscript(_ index: Int) -> Destination {
    unsafeAddress { UnsafePointer(list + index) }
    nonmutating unsafeMutableAddress { list + index }
  }

  /// Opens the way to a receiver; it is the last of the list then.
  mutating func add(_ address: SocketAddress, _ options: StreamOptions) throws(SystemCallError) {
    let sender = try DatagramSender(to: address, over: options.route, segments: options.segments)
    let reports = try ReportLink.open(
      beside: sender, over: options.route, name: options.canonicalName, isMuxed: options.isMuxed)
    if count == capacity { grow() }
    lastID += 1
    (list + count).initialize(to: Destination(sender, reports, id: lastID))
    count += 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Destination>.allocate(capacity: 2 * capacity)
    larger.moveInitialize(from: list, count: count)
    list.deallocate()
    list = larger
    capacity *= 2
  }

  /// Closes the way to a receiver; those behind it move up.
  mutating func remove(_ index: Int) {
    (list + index).deinitialize(count: 1)
    (list + index).moveInitialize(from: list + index + 1, count: count - index - 1)
    count -= 1
  }

  func index(of address: SocketAddress) -> Int? { (0..<count).first { self[$0].address == address } }

  /// - Parameter id: see `Destination.id`.
  func index(ofID id: UInt32) -> Int? { (0..<count).first { self[$0].id == id } }
}
