/// Lends a copy of some bytes in a heap block of exactly their size: AddressSanitizer sees what reads past its ends. The
/// input itself needs none, libFuzzer gives it in such a block.
func withCopy(of parts: UnsafeRawBufferPointer..., body: (UnsafeMutableRawBufferPointer) -> Void) {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: parts.reduce(0) { $0 + $1.count }, alignment: 1)
  defer { copy.deallocate() }
  var end = 0
  for part in parts {
    UnsafeMutableRawBufferPointer(rebasing: copy[end...]).copyMemory(from: part)
    end += part.count
  }
  body(copy)
}
