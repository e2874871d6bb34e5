import V4L2Capture

extension PixelFormat {
  /// By DRM's four characters (drm_fourcc.h), which libcamera's formats have. Most are V4L2's; these mean the same bytes
  /// by others: DRM names RGB by a number's bits, from the highest.
  init(drm: UInt32) {
    self.init(rawValue: Self.others.first { $0.drm.rawValue == drm }?.own.rawValue ?? drm)
  }

  var drm: UInt32 { Self.others.first { $0.own == self }?.drm.rawValue ?? rawValue }

  private static let others: [(drm: PixelFormat, own: PixelFormat)] = [
    (PixelFormat("R8  "), PixelFormat("GREY")), (PixelFormat("RG24"), PixelFormat("BGR3")),
    (PixelFormat("BG24"), PixelFormat("RGB3")), (PixelFormat("YU16"), PixelFormat("422P")),
  ]
}
