import LinuxIO

/// All that one camera's thread needs to know: the options that all cameras share, and what is its own.
struct StreamSettings: Sendable {
  let options: StreamOptions
  let camera: CameraName
  /// Its name in files.
  let name: String
  let ssrc: UInt32
  let cpu: Int?
  let receivers: [NamedReceiver]
  /// nil: it streams until it is stopped.
  let measurement: Measurement?

  /// Camera `index` of the command line: it has the ports, the SSRC and the CPU behind those of the one before.
  /// - Parameter receiver: one more than the options name.
  init(
    _ options: StreamOptions, camera index: Int, measurement: Measurement? = nil, receiver: SocketAddress? = nil
  ) throws {
    self.options = options
    self.measurement = measurement
    camera = options.cameras[index]
    name = Self.name(index)
    ssrc = options.ssrc &+ UInt32(index)
    cpu = options.cpu.map { $0 + index }
    var receivers: [NamedReceiver] = []
    receivers.reserveCapacity(options.endpoints.count + 1)
    for endpoint in options.endpoints {
      let named = NamedReceiver(host: endpoint.host, addresses: try endpoint.addresses(forCamera: index))
      guard let named else { throw Failure("--to \(endpoint): the host has no address") }
      receivers.append(named)
    }
    let addresses = receivers.map(\.first)
    for (place, address) in addresses.enumerated() {
      try Self.check(address, options.endpoints[place], options.route)
      guard let first = addresses.firstIndex(where: { $0.isSameReceiver(as: address) }), first < place else { continue }
      throw UsageError("--to \(options.endpoints[first]) and \(options.endpoints[place]) are the same receiver")
    }
    if let receiver, let named = NamedReceiver(host: receiver.host, addresses: [receiver]) { receivers.append(named) }
    self.receivers = receivers
  }

  /// It is the address of a receiver, and it is known where packets for it leave.
  private static func check(_ address: SocketAddress, _ endpoint: Endpoint, _ route: Route) throws(UsageError) {
    if address.isUnspecified {
      throw UsageError("--to \(Endpoint.unspecified("\(endpoint)", port: "\(endpoint.port)"))")
    }
    guard address.needsInterface, route.interface == nil else { return }
    throw UsageError(
      "--to \(endpoint): a link-local address needs its interface: write --to [\(address.host)%eth0]:\(endpoint.port)"
        + " ('ip link' shows them)")
  }

  /// The name of camera `index` of the command line.
  static func name(_ index: Int) -> String { "camera\(index)" }

  /// The receivers' addresses that are tried first.
  var destinations: [SocketAddress] { receivers.map(\.first) }

  /// The receiver that has an address.
  func receiver(at address: SocketAddress) -> NamedReceiver? { receivers.first { $0.has(address) } }
}
