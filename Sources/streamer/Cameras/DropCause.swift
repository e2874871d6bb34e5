import RTPCore

/// Why a frame was not sent.
enum DropCause: Int, CaseIterable, Error {
  case driver, missedBeat, tooSlow, damaged, empty, short, encoder
  case noSOI, noSOS, malformedHeader, truncated, noEOI, tooLarge, undecodable, recodeLimit
  case coding, precision, components, sampling, huffman, tables, scans, colours, fields, height, size

  init(_ fault: JPEGFault) {
    switch fault {
    case .empty: self = .empty
    case .noSOI: self = .noSOI
    case .noSOS: self = .noSOS
    case .malformedHeader: self = .malformedHeader
    case .truncated: self = .truncated
    case .noEOI, .interruptedScan: self = .noEOI
    case .tooLarge: self = .tooLarge
    case .unsupported(.coding): self = .coding
    case .unsupported(.precision): self = .precision
    case .unsupported(.components): self = .components
    case .unsupported(.sampling): self = .sampling
    case .unsupported(.huffman): self = .huffman
    case .unsupported(.tables): self = .tables
    case .unsupported(.scans): self = .scans
    case .unsupported(.colours): self = .colours
    case .unsupported(.fields): self = .fields
    case .unsupported(.height): self = .height
    }
  }

  /// The name of its counter.
  var name: String {
    switch self {
    case .driver: "driver"
    case .missedBeat: "missed_beat"
    case .tooSlow: "too_slow"
    case .damaged: "error_flag"
    case .empty: "empty"
    case .noSOI: "no_soi"
    case .noSOS: "no_sos"
    case .malformedHeader: "malformed_header"
    case .truncated: "truncated"
    case .noEOI: "no_eoi"
    case .tooLarge: "too_large"
    case .undecodable: "undecodable"
    case .recodeLimit: "recode_limit"
    case .short: "cut_short"
    case .encoder: "encoder"
    default: "unsupported_\(self)"
    }
  }

  /// What it means, for the log.
  var explanation: String {
    switch self {
    case .driver:
      "the driver dropped it, or handed it over behind a newer one (a gap in its sequence): the camera or this program was too slow for a moment"
    case .missedBeat:
      "this program was not let run when it was due (file: and test: have a beat instead of a camera): the machine was busy with other things; --realtime helps"
    case .tooSlow:
      "this program was still at work on the frame before it (with --keep-all that takes as long as the network does): a smaller size or a lower rate helps"
    case .damaged: "the driver flagged it as damaged (V4L2_BUF_FLAG_ERROR): data was lost on the way from the camera"
    case .empty: "it was empty"
    case .short: "it was cut short: a raw picture that its driver did not fill"
    case .encoder: "libjpeg-turbo could not encode it, or libv4lconvert not convert it"
    case .noSOI: "it was no JPEG (no SOI)"
    case .noSOS: "its JPEG header ended without a picture (no SOS)"
    case .malformedHeader:
      "a segment of its JPEG header (SOF, SOS, DHT, DQT or DRI) was malformed, missing, or there twice, and each frame needs all of them"
    case .truncated: "it was cut short within its JPEG header"
    case .noEOI: "it was cut short: its scan ended early, or had no EOI (--bad-frames repair sends what there is of it)"
    case .tooLarge: "it was too large (over 16 MiB, or over 65535 packets; a larger --mtu helps with those)"
    case .undecodable: "it can't be sent as it is, and libjpeg-turbo can't read it either: it is damaged"
    case .recodeLimit:
      "re-coding it would hold up the stream (it, or one like it shortly before, took over two frame intervals, but at least 0.1 s and at most 1 s, or over 100 MB): a camera that sends baseline JPEG needs no re-coding; a smaller size or a lower rate helps"
    case .coding: "it is no baseline JPEG (extended, progressive, arithmetic or lossless), which RTP/JPEG can't carry"
    case .precision: "its samples have not 8 bits, which RTP/JPEG can't carry"
    case .components: "it has not three components (greyscale?), which RTP/JPEG can't carry"
    case .sampling: "its chroma sampling is neither 4:2:2 nor 4:2:0, which RTP/JPEG can't carry"
    case .huffman: "its Huffman tables are not the standard ones, which every receiver takes for granted"
    case .tables:
      "its quantization tables are not one of 8 bits for luma and one for chroma, which is all that this program sends as it is"
    case .scans: "its components are in scans of their own, or in another order, which RTP/JPEG can't carry"
    case .colours: "it is an RGB JPEG, and receivers take all pictures for YCbCr"
    case .fields: "it has two fields (interlaced), which receivers show as two pictures of half the height"
    case .height:
      "its header has a height of 0: a DNL segment after the scan would have to give it, which decoders do not support"
    case .size:
      "it is over 65500 pixels wide or high: libjpeg-turbo can't re-code it, and as it is RTP/JPEG can't carry it"
    }
  }
}
