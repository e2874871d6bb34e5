extension Double {
  /// With so many places behind the point.
  func decimal(_ places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = Int64(exactly: (self * scale).rounded()) ?? .max
    guard places > 0 else { return "\(scaled)" }
    let digits = "\(scaled.magnitude % UInt64(scale))"
    let fraction = String(repeating: "0", count: places - digits.count) + digits
    return "\(scaled < 0 ? "-" : "")\(scaled.magnitude / UInt64(scale)).\(fraction)"
  }

  /// With as many digits as say something: three, or all of a whole number.
  var figure: String {
    let scale: Double = self >= 100 ? 1 : self >= 10 ? 10 : 100
    return JSON.number((self * scale).rounded() / scale).description
  }
}
