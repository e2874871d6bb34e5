import CLinux
import Glibc

/// One question to the kernel's network part and its answers (rtnetlink(7)).
enum Netlink {
  typealias Attribute = (type: Int32, value: [UInt8])

  struct Message {
    /// The fixed part, such as a `tcmsg`.
    let header: [UInt8]
    let attributes: [Attribute]
  }

  /// - Parameters:
  ///   - body: the question's fixed part.
  ///   - header: bytes of the answers' fixed part.
  /// - Returns: the answers; none where the kernel refuses.
  static func request(
    _ type: UInt16, flags: UInt16, _ body: [UInt8], attributes: [Attribute], header: Int
  ) -> [Message] {
    let kind = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = FileDescriptor(owning: Glibc.socket(AF_NETLINK, kind, NETLINK_ROUTE))
    guard socket.number >= 0 else { return [] }
    let fields =
      body
      + attributes.flatMap { attribute in
        let length = UInt16(4 + attribute.value.count)
        return bytes(length) + bytes(UInt16(attribute.type)) + padded(attribute.value)
      }
    let question =
      bytes(
        nlmsghdr(
          nlmsg_len: UInt32(headerSize + fields.count), nlmsg_type: type, nlmsg_flags: UInt16(NLM_F_REQUEST) | flags,
          nlmsg_seq: 1, nlmsg_pid: 0)) + fields
    guard retrying({ send(socket.number, question, question.count, 0) }).errno == nil else { return [] }
    var messages: [Message] = []
    var memory = [UInt8](repeating: 0, count: 1 << 15)
    while true {
      let (count, errno) = retrying { recv(socket.number, &memory, memory.count, 0) }
      guard errno == nil, count > 0 else { return messages }
      if !read(memory[..<count], header, into: &messages) || flags & UInt16(NLM_F_DUMP) == 0 { return messages }
    }
  }

  private static let headerSize = MemoryLayout<nlmsghdr>.size

  /// - Returns: whether more follow.
  private static func read(_ bytes: ArraySlice<UInt8>, _ header: Int, into messages: inout [Message]) -> Bool {
    var isOver = false
    let isWhole = forEachMessage(in: bytes) { type, body in
      isOver = isOver || type == UInt16(NLMSG_ERROR) || type == UInt16(NLMSG_DONE)
      guard !isOver, body.count >= header else { return }
      messages.append(Message(header: Array(body.prefix(header)), attributes: attributes(body.dropFirst(header))))
    }
    return isWhole && !isOver
  }

  /// Gives each message of a datagram: its type, and what follows its header.
  /// - Returns: whether none is malformed; after one that is, none is given.
  @discardableResult
  static func forEachMessage(in bytes: ArraySlice<UInt8>, _ body: (UInt16, ArraySlice<UInt8>) -> Void) -> Bool {
    var rest = bytes
    while rest.count >= headerSize {
      let head = rest.withUnsafeBytes { $0.loadUnaligned(as: nlmsghdr.self) }
      let length = Int(head.nlmsg_len)
      guard length >= headerSize, length <= rest.count else { return false }
      body(head.nlmsg_type, rest.prefix(length).dropFirst(headerSize))
      rest = rest.dropFirst((length + 3) & ~3)
    }
    return true
  }

  /// A message's fixed part, and its attributes; nil where it is too short.
  static func split<Header: BitwiseCopyable>(
    _ body: ArraySlice<UInt8>, header: Header.Type
  ) -> (header: Header, attributes: [Attribute])? {
    let size = MemoryLayout<Header>.size
    guard body.count >= size else { return nil }
    return (body.withUnsafeBytes { $0.loadUnaligned(as: Header.self) }, attributes(body.dropFirst((size + 3) & ~3)))
  }

  /// The value of an attribute that has exactly the size of its type.
  static func value<Value: BitwiseCopyable>(of attribute: Attribute, as type: Value.Type) -> Value? {
    guard attribute.value.count == MemoryLayout<Value>.size else { return nil }
    return attribute.value.withUnsafeBytes { $0.loadUnaligned(as: Value.self) }
  }

  /// Attributes behind each other, also those within one.
  static func attributes(_ bytes: ArraySlice<UInt8>) -> [Attribute] {
    var attributes: [Attribute] = []
    var rest = bytes
    while rest.count >= 4 {
      let (length, type) = rest.withUnsafeBytes {
        (Int($0.loadUnaligned(as: UInt16.self)), $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
      }
      guard length >= 4, length <= rest.count else { break }
      // The upper bits are flags.
      attributes.append((Int32(type & 0x3FFF), Array(rest.prefix(length).dropFirst(4))))
      rest = rest.dropFirst((length + 3) & ~3)
    }
    return attributes
  }

  static func bytes<Value>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  private static func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: -bytes.count & 3)
  }
}
