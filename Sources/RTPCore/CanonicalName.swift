/// The name that all sources of one process share (CNAME: RFC 3550, 6.5.1), so that a receiver knows that they have
/// one clock.
public struct CanonicalName: Equatable, Sendable {
  let bytes: [UInt8]

  /// 96 random bits in 16 letters, as RFC 7022, 4.2 advises: nothing of the machine is told.
  public init() {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    bytes = (0..<16).map { _ in letters[Int.random(in: 0..<letters.count)] }
  }

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// A source description with this name alone (RFC 3550, 6.5): a chunk of SSRC, item, and zeros up to a whole word.
  func write(of ssrc: UInt32, to writer: inout ByteWriter) {
    let item = 2 + bytes.count
    let padded = (item + 4) & ~3
    let words = UInt16(1 + padded / 4)
    RTCPHeader(count: 1, type: RTCPHeader.sourceDescription, words: words).write(to: &writer)
    writer.put(ssrc)
    writer.put(UInt8(1))
    writer.put(UInt8(bytes.count))
    bytes.withUnsafeBytes { writer.put($0) }
    for _ in item..<padded { writer.put(UInt8(0)) }
  }
}
