import LinuxIO

/// `streamer bench --glass-page FILE`: writes a page that shows the time to a camera, as digits and as a time code.
struct GlassPage {
  private let path: String
  private let log: Log

  init(_ arguments: Arguments) throws(UsageError) {
    path = try arguments.path("glass-page") ?? ""
    if let camera = arguments.operands.first {
      throw UsageError("--glass-page writes a page and measures nothing: leave '\(camera)' out")
    }
    log = Log(level: try arguments.logLevel())
  }

  func run() throws -> Int32 {
    var signals = try Signals()
    try OutputOption.glassPage.attempt { () throws(SystemCallError) in
      try File.write(Self.html, to: path)?.finish(&signals)
    }
    log.info("\(path): open it in a browser, with a camera before the screen; 'streamer receive PORT --glass' reads it")
    return 0
  }

  /// The code is TimeCode's, in the browser's language.
  static let html = """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>streamer: glass to glass</title>
    <style>
    html, body { height: 100%; margin: 0; background: #fff; color: #000 }
    body { display: flex; flex-direction: column; align-items: center; justify-content: space-evenly; cursor: pointer }
    #digits { font: bold min(13vw, 28vh)/1 monospace; white-space: pre }
    #bars { height: 50%; image-rendering: pixelated }
    p { font: 1rem/1.4 sans-serif; margin: 0; padding: 0 1rem; max-width: 60rem; text-align: center; color: #444 }
    b { white-space: nowrap }
    </style></head><body>
    <div id="digits"></div>
    <canvas id="bars" height="1"></canvas>
    <p>The time of this machine's clock, for a camera whose frames <b>streamer receive --glass</b> reads. That clock must be
    synchronised with the receiver's (NTP or PTP), and this display's own delay is part of what is measured. A click fills
    the screen.</p>
    <script>
    "use strict"
    const digits = document.getElementById("digits"), bars = document.getElementById("bars")

    // How many zeros the time has, the time, its CRC.
    function value(time) {
      let zeros = 0, rest = 0xFF
      for (let place = \(TimeCode.timeBits - 1); place >= 0; place--) {
        const bit = time >> place & 1
        zeros += 1 - bit
        rest = (rest << 1 & 0xFF) ^ (rest >> 7 ^ bit) * \(TimeCode.polynomial)
      }
      return zeros * 2 ** 32 + time * 2 ** 8 + rest
    }

    // Modules of whole pixels of the screen, as wide as there is room.
    function drawBars(time) {
      const ratio = window.devicePixelRatio
      const module = Math.max(1, Math.floor(document.documentElement.clientWidth * ratio / \(TimeCode.width)))
      if (bars.width != module * \(TimeCode.width)) bars.width = module * \(TimeCode.width)
      bars.style.width = bars.width / ratio + "px"
      const pen = bars.getContext("2d")
      pen.fillStyle = "#fff"
      pen.fillRect(0, 0, bars.width, 1)
      pen.fillStyle = "#000"
      const bar = (start, width) => pen.fillRect(start * module, 0, width * module, 1)
      bar(\(TimeCode.margin), \(TimeCode.startBar))
      const bits = value(time)
      let start = \(TimeCode.margin + TimeCode.startBar + TimeCode.startSpace)
      for (let place = \(TimeCode.bitCount - 1); place >= 0; place--) {
        bar(start, 1 + Math.floor(bits / 2 ** place) % 2)
        start += \(TimeCode.bitWidth)
      }
      bar(start, \(TimeCode.endBar))
    }

    function draw() {
      // Not performance.now(), which does not follow when the clock is set right.
      const now = new Date()
      const two = number => String(number).padStart(2, "0")
      digits.textContent = two(now.getHours()) + ":" + two(now.getMinutes()) + ":" + two(now.getSeconds()) + "."
        + String(now.getMilliseconds()).padStart(3, "0")
      drawBars(now.getTime() % 2 ** \(TimeCode.timeBits))
      requestAnimationFrame(draw)
    }

    addEventListener("click", () => document.documentElement.requestFullscreen())
    draw()
    </script></body></html>

    """
}
