import Glibc

extension Double {
  /// Its logarithm to the base of 10, which Swift's own library does not have.
  public var decimalLogarithm: Double { Glibc.log10(self) }
}
