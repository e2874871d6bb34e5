/// Ranges of bytes in their order, with gaps between them.
struct RangeList {
  private var ranges: [Range<Int>] = []

  var count: Int { ranges.count }

  /// Whether this range is there, and nothing else.
  func isOnly(_ range: Range<Int>) -> Bool { ranges.count == 1 && ranges[0] == range }

  mutating func removeAll() { ranges.removeAll(keepingCapacity: true) }

  /// Adds a range, which is joined with those that it touches.
  /// - Returns: false where some of it is there already.
  mutating func add(_ range: Range<Int>) -> Bool {
    let place = place(of: range)
    if place > 0, ranges[place - 1].upperBound > range.lowerBound { return false }
    if place < ranges.count, ranges[place].lowerBound < range.upperBound { return false }
    let follows = place > 0 && ranges[place - 1].upperBound == range.lowerBound
    let precedes = place < ranges.count && ranges[place].lowerBound == range.upperBound
    switch (follows, precedes) {
    case (true, true):
      ranges[place - 1] = ranges[place - 1].lowerBound..<ranges[place].upperBound
      ranges.remove(at: place)
    case (true, false): ranges[place - 1] = ranges[place - 1].lowerBound..<range.upperBound
    case (false, true): ranges[place] = range.lowerBound..<ranges[place].upperBound
    case (false, false): ranges.insert(range, at: place)
    }
    return true
  }

  /// How many ranges begin before this one, or with it.
  private func place(of range: Range<Int>) -> Int {
    // In order, which is usual, all.
    if ranges.last.map({ $0.lowerBound <= range.lowerBound }) ?? true { return ranges.count }
    var (low, high) = (0, ranges.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].lowerBound <= range.lowerBound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
