import LinuxIO
import V4L2Capture

/// What the main thread is told of a session: each once, and again when it changes.
struct SessionNews {
  private let board: Board
  /// Pixels of the last frame that was begun, by its own header; nil: there was none.
  var pictureSize: FrameSize?
  private var postedSize: FrameSize?
  /// At most one post a second: a camera may change its size with every frame.
  private var mayPostSize = true

  init(_ board: Board) { self.board = board }

  func add(_ address: SocketAddress) { board.post { $0.receivers.append(.init(address: address)) } }

  func remove(_ index: Int) { board.post { _ = $0.receivers.remove(at: index) } }

  mutating func postPictureSize() {
    guard mayPostSize, pictureSize != postedSize else { return }
    let size = pictureSize
    postedSize = size
    mayPostSize = false
    board.post { $0.pictureSize = size }
  }

  /// Once a second.
  mutating func check(_ receivers: inout DestinationList) {
    mayPostSize = true
    postPictureSize()
    postBuffers(&receivers)
  }

  /// Sockets that hold less than two frames.
  private func postBuffers(_ receivers: inout DestinationList) {
    for index in 0..<receivers.count where !receivers[index].hasBuffer && !receivers[index].saidBuffer {
      receivers.update(index) { $0.saidBuffer = true }
      board.post { $0.receivers[index].hasSmallBuffer = true }
    }
  }

  func postPacketSize(_ size: Int) { board.post { $0.packetSize = size } }

  func postSource(_ ssrc: UInt32) { board.post { $0.changedSSRC = ssrc } }

  func postForeignReport(_ address: SocketAddress, _ receiver: SocketAddress) {
    board.post { if $0.foreignReport == nil { $0.foreignReport = (address, receiver) } }
  }

  func postPacing(_ index: Int, _ pacer: Pacer) {
    let pacing = pacer.text
    board.post { $0.receivers[index].pacing = pacing }
  }

  func postNoSegments(_ index: Int) { board.post { $0.receivers[index].refusesSegments = true } }

  /// Each time that a receiver's packets begin to be lost, or stop, and when the reason changes.
  func postError(of index: Int, _ receivers: inout DestinationList) {
    let errno = receivers[index].errno
    guard receivers[index].saidErrno != errno else { return }
    receivers.update(index) { $0.saidErrno = errno }
    let outage = receivers[index].outageLength
    board.post { state in
      state.receivers[index].errno = errno
      let (address, source) = (state.receivers[index].address, state.receivers[index].path?.source)
      state.events.append(
        errno.map { .receiverFailed(address, $0) } ?? .receiverRecovered(address, source: source, outage: outage))
    }
  }

  /// What a receiver's packets leave through, each time that its sockets connected.
  @inline(__always)
  func postPath(of index: Int, _ receivers: inout DestinationList) {
    guard let path = receivers.update(index, { $0.newPath() }) else { return }
    board.post { state in
      state.receivers[index].path = path
      // UDP GSO is tried again.
      state.receivers[index].refusesSegments = false
    }
  }
}
