import Glibc

extension Double {
  /// Its logarithm to the base of 10, which Swift's own library does not have.
  public var decimalLogarithm: Double { Glibc.log10(self) }

  /// It to the power of another number.
  public func raised(to power: Double) -> Double { Glibc.pow(self, power) }
}
