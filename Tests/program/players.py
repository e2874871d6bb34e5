"""FFmpeg and GStreamer as receivers: the pixels they decode from a stream, and from a file."""

import hashlib
import pathlib
import signal
import subprocess
import tempfile
import time

CAPS = "application/x-rtp,media=video,encoding-name=JPEG,payload=26,clock-rate=90000"
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


def hashes(folder):
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(pathlib.Path(folder).glob("*.raw"))]


class FFmpeg:
    """From an SDP."""

    @staticmethod
    def receive(port, sdp, folder):
        return ["ffmpeg", "-v", "error", "-protocol_whitelist", "file,udp,rtp", "-i", sdp, "-f", "image2", "-fps_mode",
                "passthrough", "-c:v", "rawvideo", "-y", f"{folder}/%05d.raw"]

    @staticmethod
    def decode(path, out):
        return ["ffmpeg", "-v", "error", "-i", path, "-c:v", "rawvideo", "-f", "rawvideo", out]


class GStreamer:
    """From caps."""

    @staticmethod
    def receive(port, sdp, folder):
        return ["gst-launch-1.0", "-q", "udpsrc", f"port={port}", "buffer-size=8000000", f"caps={CAPS}", "!", "rtpjpegdepay",
                "!", "jpegdec", "!", "multifilesink", f"location={folder}/%05d.raw"]

    @staticmethod
    def decode(path, out):
        return ["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "jpegdec", "!", "filesink", f"location={out}"]


ALL = (FFmpeg, GStreamer)


def of_files(player, paths):
    """What a player gives of JPEG files: their pixels' hashes."""
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(paths):
            subprocess.run(player.decode(path, f"{folder}/{number:05}.raw"), check=True, **QUIET)
        return hashes(folder)


def of_stream(player, port, sdp, frames, seconds=40):
    """What a player gives of a stream that runs: the pixels' hashes of `frames` frames or more."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "stream.sdp")
        path.write_text(sdp)
        with subprocess.Popen(player.receive(port, path, folder), **QUIET) as process:
            end = time.monotonic() + seconds
            while time.monotonic() < end and len(list(pathlib.Path(folder).glob("*.raw"))) < frames:
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            process.wait(10)
        return hashes(folder)
