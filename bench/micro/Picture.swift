import JPEGCodec

/// JPEGs to measure with.
enum Picture {
  /// A real encoder's header, and a scan of random bytes, stuffed as T.81 has it, with EOI: so many bytes in all.
  static func jpeg(_ size: Int, quality: Int = 80) -> [UInt8] {
    let picture = PlanarPicture(width: 64, height: 64)
    guard var jpeg = try? picture.jpeg(quality: quality) else { return [] }
    // SOS has three components: it and its length are 14 bytes.
    guard let sos = jpeg.indices.first(where: { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA }) else { return [] }
    jpeg.removeSubrange((sos + 14)...)
    var seed: UInt64 = 1
    while jpeg.count < size - 3 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let byte = UInt8(truncatingIfNeeded: seed >> 56)
      jpeg.append(byte)
      if byte == 0xFF { jpeg.append(0) }
    }
    return jpeg + [0xFF, 0xD9]
  }
}
