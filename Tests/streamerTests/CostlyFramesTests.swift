import RTPCore
import Testing

@testable import streamer

@Suite struct CostlyFramesTests {
  private static let progressive = JPEGFault.unsupported(.coding)
  private static let grey = JPEGFault.unsupported(.components)

  /// How many frames are refused until one is tried.
  private func refusals(_ costly: inout CostlyFrames, _ pixels: Int = 100) -> Int {
    var count = 0
    while costly.refuses(Self.progressive, pixels), count < 1000 { count += 1 }
    return count
  }

  @Test func eachFailureInARowPausesLonger() {
    var costly = CostlyFrames()
    #expect(refusals(&costly) == 0)
    var counts: [Int] = []
    for _ in 0..<7 {
      costly.note(Self.progressive, 100)
      counts.append(refusals(&costly))
    }
    #expect(counts == [4, 8, 16, 32, 64, 64, 64])
  }

  /// Pauses of a busy machine are no reason to give a camera up.
  @Test func aSuccessEndsTheRow() {
    var costly = CostlyFrames()
    for _ in 0..<20 {
      costly.note(Self.progressive, 100)
      #expect(refusals(&costly) == 4)
      costly.noteSuccess(Self.progressive, 100)
    }
    // One of another kind, or a smaller one, tells nothing.
    costly.note(Self.progressive, 100)
    _ = refusals(&costly)
    costly.noteSuccess(Self.grey, 100)
    costly.noteSuccess(Self.progressive, 99)
    costly.note(Self.progressive, 100)
    #expect(refusals(&costly) == 8)
  }

  @Test func onlyFramesLikeItAreRefused() {
    var costly = CostlyFrames()
    costly.note(Self.progressive, 100)
    let refused = [
      costly.refuses(Self.grey, 200), costly.refuses(Self.progressive, 99), costly.refuses(Self.progressive, 101),
    ]
    #expect(refused == [false, false, true])
  }
}
