#!/usr/bin/env python3
"""The JPEGs among the test images of Pillow, which are of many programs and cameras, through `file:`: what becomes of each,
as a table in Markdown. `make pictures`.

A picture that the program sends as it is must arrive with the same pixels. One that it encodes again is compared with
what libjpeg-turbo's own encoder makes of the same pixels at quality 80 and the same sampling: it must be at most 1 dB
worse. One that is dropped is named with its cause."""

import functools
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

import kinds_table
import program
import readme
from kernel import cache

VERSION = "11.3.0"
QUALITY = 80
# In decibels.
MARGIN = 1


@functools.cache
def images():
    """The JPEGs, out of Pillow's source archive."""
    home = cache() / f"pillow-{VERSION}"
    if not home.exists():
        with tempfile.TemporaryDirectory(dir=cache()) as folder:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-binary", ":all:",
                            "--no-deps", "-d", folder, f"pillow=={VERSION}"], check=True)
            part = pathlib.Path(folder, "images")
            part.mkdir()
            with tarfile.open(next(pathlib.Path(folder).glob("*.tar.gz"))) as archive:
                for member in archive:
                    if re.search(r"/Tests/images/.*\.jpe?g$", member.name):
                        (part / pathlib.Path(member.name).name).write_bytes(archive.extractfile(member).read())
            part.rename(home)
    return sorted(home.iterdir())


def decoded(path):
    """Width, height and pixels, in RGB, as libjpeg-turbo decodes them; None where it does not."""
    result = subprocess.run(["djpeg", path], capture_output=True)
    head = re.match(rb"P([56])\n(\d+) (\d+)\n255\n", result.stdout)
    if not head:
        return None
    width, height, pixels = int(head[2]), int(head[3]), result.stdout[head.end():]
    if head[1] == b"5":
        pixels = bytes(value for value in pixels for _ in range(3))
    return (width, height, pixels) if len(pixels) == 3 * width * height else None


def is_shown(path):
    """FFmpeg decodes it, too."""
    result = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-frames:v", "1", "-f", "rawvideo", "-"], capture_output=True,
                            stdin=subprocess.DEVNULL)
    return result.returncode == 0 and len(result.stdout) > 0


def in_size(jpeg, width, height):
    """RTP/JPEG has sizes in blocks of 8 pixels: the JPEG with its picture's own. A decoder's last column depends on it."""
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + jpeg[place + 4:]


def encoded(width, height, pixels, sampling):
    """What libjpeg-turbo makes of pixels by itself, decoded again."""
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        subprocess.run(["cjpeg", "-quality", str(QUALITY), "-sample", sampling, "-outfile", file.name], check=True,
                       input=b"P6\n%d %d\n255\n" % (width, height) + pixels)
        return decoded(file.name)[2]


def streamed(path, folder):
    """A frame that a receiver got, if one came, and the sender's last line."""
    for name in ("source", "received"):
        pathlib.Path(folder, name).mkdir()
    pathlib.Path(folder, "source", "picture.jpg").write_bytes(path.read_bytes())
    place = f"127.0.0.1:{program.free_port()}"
    with program.Run("receive", place, "--frames", "1", "--seconds", "2", "--out", f"{folder}/received",
                     wait_for="receiving at") as receiver:
        with program.Run(f"file:{folder}/source", "--fps", "10", "--to", place) as sender:
            receiver.wait(30)
    return next(iter(sorted(pathlib.Path(folder, "received").iterdir())), None), sender.out.splitlines()[-1]


@functools.cache
def row(path):
    """A picture's row: its name, its size, what the program did, and how what arrived differs."""
    source = decoded(path)
    with tempfile.TemporaryDirectory() as folder:
        frame, line = streamed(path, folder)
        size = f"{source[0]}x{source[1]}" if source else "-"
        if not frame:
            causes = [name for name in re.findall(r"(\w+) \d+[,)]", line) if name not in kinds_table.BEATS]
            return path.name, size, f"dropped, counted as {', '.join(causes)}", "-"
        deed = "encoded again" if "encoded again" in line else "re-coded without loss" if "re-coded" in line else "sent as it is"
        width, height, pixels = source
        frame.write_bytes(in_size(frame.read_bytes(), width, height))
        received = decoded(frame)[2]
        if deed != "encoded again":
            return path.name, size, deed, kinds_table.SAME if received == pixels else "other pixels"
        sampling = {0x22: "2x2", 0x21: "2x1"}[factors(frame.read_bytes())]
        limit = kinds_table.psnr(encoded(width, height, pixels, sampling), pixels) - MARGIN
        decibels = kinds_table.psnr(received, pixels)
        return path.name, size, deed, f"PSNR {decibels:.1f} dB, {'over' if decibels >= limit else 'UNDER'} {limit:.1f}"


def factors(jpeg):
    """Luma's sampling, out of SOF0."""
    return jpeg[jpeg.index(b"\xff\xc0") + 11]


def table():
    return readme.markdown([["picture", "size", "what `streamer` does", "what arrives"], *(row(path) for path in images())])


if __name__ == "__main__":
    print(table())
