"""FFmpeg and GStreamer as receivers: the pixels they decode from a stream, and from files."""

import hashlib
import pathlib
import signal
import subprocess
import tempfile
import time

CAPS = "application/x-rtp,media=video,encoding-name=JPEG,payload=26,clock-rate=90000"
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


class FFmpeg:
    """From an SDP."""

    @staticmethod
    def receive(port, sdp, folder, rgb):
        return ["ffmpeg", "-v", "error", "-protocol_whitelist", "file,udp,rtp", "-i", sdp, "-f", "image2", "-fps_mode",
                "passthrough", "-c:v", "rawvideo", *FFmpeg.pixels(rgb), "-y", f"{folder}/%05d.raw"]

    @staticmethod
    def decode(paths, folder, rgb):
        inputs = [word for path in paths for word in ("-i", path)]
        outputs = [word for number, _ in enumerate(paths) for word in (
            "-map", str(number), "-c:v", "rawvideo", *FFmpeg.pixels(rgb), "-f", "rawvideo", f"{folder}/{number:05}.raw")]
        return ["ffmpeg", "-v", "error", *inputs, *outputs]

    @staticmethod
    def pixels(rgb):
        return ["-pix_fmt", "rgb24", "-sws_flags", "full_chroma_int+accurate_rnd"] if rgb else []


class GStreamer:
    """From caps."""

    @staticmethod
    def receive(port, sdp, folder, rgb):
        return ["gst-launch-1.0", "-q", "udpsrc", f"port={port}", "buffer-size=8000000", f"caps={CAPS}", "!", "rtpjpegdepay",
                "!", "jpegdec", *GStreamer.pixels(rgb), "!", "multifilesink", f"location={folder}/%05d.raw"]

    @staticmethod
    def decode(paths, folder, rgb):
        return ["gst-launch-1.0", "-q", *(word for number, path in enumerate(paths) for word in (
            "filesrc", f"location={path}", "!", "jpegdec", *GStreamer.pixels(rgb), "!", "filesink", f"location={folder}/{number:05}.raw"))]

    @staticmethod
    def pixels(rgb):
        return ["!", "videoconvert", "!", "video/x-raw,format=RGB"] if rgb else []


ALL = (FFmpeg, GStreamer)


def frames(folder, rgb):
    """Each frame's pixels in RGB; else the hash of those that the decoder gave, in whatever form."""
    raws = (path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.raw")))
    return list(raws) if rgb else [hashlib.sha256(raw).hexdigest() for raw in raws]


def of_files(player, paths, rgb=False):
    """What a player gives of JPEG files: their `frames`."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(player.decode(list(paths), folder, rgb), check=True, timeout=60, **QUIET)
        return frames(folder, rgb)


class Watch:
    """A player that receives a stream, until `end`."""

    def __init__(self, player, port, sdp, rgb=False):
        self.rgb = rgb
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name, "stream.sdp")
        path.write_text(sdp)
        self.process = subprocess.Popen(player.receive(port, path, self.folder.name, rgb), **QUIET)

    def wait(self, count, seconds=40):
        """Until it gave so many frames, or ended by itself."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None and self.count() < count:
            time.sleep(0.1)

    def count(self):
        """The number of frames that it gave so far."""
        return len(list(pathlib.Path(self.folder.name).glob("*.raw")))

    def end(self):
        """The `frames` that it gave."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
        with self.folder as folder:
            return frames(folder, self.rgb)


def of_stream(player, port, sdp, count, seconds=40):
    """What a player gives of a stream that runs: `count` of its `frames` or more."""
    watch = Watch(player, port, sdp)
    watch.wait(count, seconds)
    return watch.end()
