/// The options of `streamer bench`, read.
struct BenchOptions {
  /// How the result is printed.
  enum Form {
    case table, json, csv
  }

  let stream: StreamOptions
  let measurement: Measurement
  let form: Form
  /// Where a page with the result is written.
  let page: String?
  /// Where every frame's times are written.
  let times: String?
  /// Frames are received, too, over loopback.
  let hasReceiver: Bool
  /// And the time codes in them are read.
  let readsGlass: Bool
  /// An earlier result, and what a figure may be larger than there by, as a part of it.
  let former: String?
  let tolerance: Double

  init(_ arguments: Arguments) throws(UsageError) {
    stream = try StreamOptions(arguments)
    guard stream.cameras.count == 1 else { throw UsageError("bench measures one camera at a time") }
    measurement = Measurement(
      warmUp: UInt64(try arguments.integer("warm-up", in: 0...100_000) ?? 30),
      frames: UInt64(try arguments.integer("frames", in: 2...Int(Measurement.mostFrames)) ?? 300))
    page = try arguments.path("html")
    times = try arguments.path("times")
    if let page, page == times { throw UsageError("--html and --times are both \(page): each needs a file of its own") }
    readsGlass = arguments.has("glass")
    let isReceived =
      try arguments.value("until", expected: "sent or received") { text in
        ["sent": false, "received": true][text]
      } ?? false
    hasReceiver = isReceived || readsGlass
    former = try arguments.path("compare")
    tolerance = try arguments.number("tolerance", of: "percent", in: 0...1000).map { $0 / 100 } ?? 0.1
    if arguments.has("json"), arguments.has("csv") { throw UsageError("--json and --csv: the result has one form") }
    form = arguments.has("json") ? .json : arguments.has("csv") ? .csv : .table
  }
}
