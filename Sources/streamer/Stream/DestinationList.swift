import LinuxIO

/// A camera's receivers. They can't be copied, so Swift's Array can't hold them. Each has memory of its own: nothing is
/// kept in store, and nothing moves.
struct DestinationList: ~Copyable {
  private var list: UnsafeMutablePointer<UnsafeMutablePointer<Destination>>
  private var capacity = 2
  private(set) var count = 0
  private var lastID: UInt32 = 0

  init() { list = .allocate(capacity: 2) }

  deinit {
    for index in 0..<count { Self.end(list[index]) }
    list.deallocate()
  }

  private static func end(_ destination: UnsafeMutablePointer<Destination>) {
    destination.deinitialize(count: 1)
    destination.deallocate()
  }

  // By its address: what yields, where it is not inlined, allocates a frame for it. Swift 6.0 takes a mutating addressor for
  // two accesses at once ("unexpected exclusivity violation"); the ThreadSanitizer of Swift 6.3 needs it.
  #if compiler(>=6.1)
    subscript(_ index: Int) -> Destination {
      unsafeAddress { UnsafePointer(list[index]) }
      unsafeMutableAddress { list[index] }
    }
  #else
    subscript(_ index: Int) -> Destination {
      unsafeAddress { UnsafePointer(list[index]) }
      nonmutating unsafeMutableAddress { list[index] }
    }
  #endif

  /// Opens the way to a receiver; it is the last of the list then.
  mutating func add(_ address: SocketAddress, _ options: StreamOptions) throws(SystemCallError) {
    var route = options.route
    // No other interface leads there.
    if address.isLoopback { route.interface = nil }
    let sender = try DatagramSender(to: address, over: route, segments: options.segments)
    let reports = try ReportLink.open(
      beside: sender, over: route, name: options.canonicalName, isMuxed: options.isMuxed)
    if count == capacity { grow() }
    lastID += 1
    let destination = UnsafeMutablePointer<Destination>.allocate(capacity: 1)
    destination.initialize(to: Destination(sender, reports, id: lastID))
    list[count] = destination
    count += 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<UnsafeMutablePointer<Destination>>.allocate(capacity: 2 * capacity)
    larger.update(from: list, count: count)
    list.deallocate()
    list = larger
    capacity *= 2
  }

  /// Closes the way to a receiver; those behind it move up.
  mutating func remove(_ index: Int) {
    Self.end(list[index])
    for next in index + 1..<max(count, index + 1) { list[next - 1] = list[next] }
    count -= 1
  }

  func index(of address: SocketAddress) -> Int? { (0..<count).first { self[$0].address == address } }

  /// - Parameter id: see `Destination.id`.
  func index(ofID id: UInt32) -> Int? { (0..<count).first { self[$0].id == id } }
}
