import CLinux
import Glibc

/// A non-blocking UDP socket.
struct UDPSocket: ~Copyable {
  let descriptor: FileDescriptor
  private let name: String

  init(_ family: SocketAddress.Family, name: String) throws(SystemCallError) {
    let domain = family == .ipv4 ? AF_INET : AF_INET6
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    // Swift 6.0 crashes on an initializer of a ~Copyable type that throws when a part of it is set.
    let number = try checked("socket", on: name) { socket(domain, kind, 0) }
    descriptor = FileDescriptor(owning: number)
    self.name = name
  }

  var number: Int32 { descriptor.number }

  func connect(to address: SocketAddress) throws(SystemCallError) {
    try checked("connect", on: name) {
      address.withSockaddr { Glibc.connect(number, $0, address.length) }
    }
  }

  func bind(to address: SocketAddress) throws(SystemCallError) {
    try checked("bind", on: name) { address.withSockaddr { Glibc.bind(number, $0, address.length) } }
  }

  var localAddress: SocketAddress {
    SocketAddress { address, length in _ = getsockname(number, address, length) }
  }

  func set<Value>(_ level: Int32, _ option: Int32, _ value: Value) -> Errno? {
    withUnsafePointer(to: value) { pointer in
      retrying { setsockopt(number, level, option, pointer, socklen_t(MemoryLayout<Value>.size)) }.errno
    }
  }

  func get(_ level: Int32, _ option: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(number, level, option, &value, &size) == 0 ? value : nil
  }

  /// Sizes a buffer of the socket. The forced option may pass net.core.rmem_max and wmem_max, and needs CAP_NET_ADMIN.
  func setBuffer(_ option: Int32, forced: Int32, bytes: Int) {
    let value = Int32(clamping: bytes)
    if set(SOL_SOCKET, forced, value) != nil { _ = set(SOL_SOCKET, option, value) }
  }
}
