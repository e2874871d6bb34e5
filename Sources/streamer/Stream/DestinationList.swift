import LinuxIO

/// A camera's receivers. A fixed list: they can't be copied, so Swift's Array can't hold them.
struct DestinationList: ~Copyable {
  private let list: UnsafeMutablePointer<Destination>
  let count: Int

  init(_ addresses: [SocketAddress], _ options: StreamOptions) throws {
    let list = UnsafeMutablePointer<Destination>.allocate(capacity: addresses.count)
    var count = 0
    do {
      for address in addresses {
        (list + count).initialize(to: try Self.open(address, options))
        count += 1
      }
    } catch {
      list.deinitialize(count: count)
      list.deallocate()
      throw error
    }
    self.list = list
    self.count = count
  }

  private static func open(_ address: SocketAddress, _ options: StreamOptions) throws -> Destination {
    let sender = try DatagramSender(to: address, over: options.route, segments: options.segments)
    let reports = try ReportLink.open(
      beside: sender, over: options.route, name: options.canonicalName, isMuxed: options.isMuxed)
    return Destination(sender, reports)
  }

  deinit {
    list.deinitialize(count: count)
    list.deallocate()
  }

  /// By its address: what yields, where it is not inlined, allocates a frame for it.
  subscript(_ index: Int) -> Destination {
    unsafeAddress { address(index) }
    nonmutating unsafeMutableAddress { mutableAddress(index) }
  }

  func address(_ index: Int) -> UnsafePointer<Destination> { UnsafePointer(list + index) }
  func mutableAddress(_ index: Int) -> UnsafeMutablePointer<Destination> { list + index }
}
