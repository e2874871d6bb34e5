#!/usr/bin/env python3
"""What becomes of each kind of JPEG, and which pixels FFmpeg and GStreamer receive: a table in Markdown.

Each kind is streamed once, to a receiver that reads by the letter of the RFCs and to both players at the same time.
`--write` puts the table into README.md, between its marks; words print the rows alone of kinds whose names have one."""

import functools
import math
import re
import sys

import program
import kinds
import players
import readme
import rtpjpeg

NAME = "kinds"
FRAMES = 6
# Beats of `file:` that were missed, whatever the kind.
BEATS = "missed_beat", "too_slow"
SAME = "same pixels"
# What a player can't read from a file, or (jpegdec 4:1:1, in green) reads wrong.
UNREAD = {(players.FFmpeg, "arithmetic coding")} | {(players.GStreamer, name) for name in (
    "4:1:1", "3x1,1x1,1x1", "2x2,1x1,2x2")} | {(player, name) for player in players.ALL for name in (
        "RGB, subsampled", "CMYK", "two fields", "two fields, the lower one first")}
# It reads no such file, and no picture that it reads has the same pixels.
UNCOMPARED = players.GStreamer, "components in another order in the scan"
STAR = "\\*"
NOTE = STAR + " The player itself does not read such files, or not rightly: this is against what libjpeg-turbo reads, and for " \
    "fields and arithmetic coding against the picture that they were made from."


@functools.cache
def row(kind):
    """A kind's row, as it is measured: its name, what the program did with it, what each player received."""
    camera = f"file:{kinds.folder(kind)}"
    # What is encoded again can have another sampling: RGB can be compared.
    rgb = kind.outcome == "again"
    first = program.free_port(2 * len(players.ALL))
    ports = [first + 2 * number for number, _ in enumerate(players.ALL)]
    with rtpjpeg.Receiver() as receiver:
        places = [f"127.0.0.1:{port}" for port in [*ports, receiver.port]]
        with program.Run(camera, "--fps", 30, *(word for place in places for word in ("--to", place))) as sender:
            receiver.collect(1, until=lambda r: r.markers())
            # Where nothing is sent, nothing is to be received.
            watches = [players.Watch(player, port, program.run("sdp", camera, "--to", place).out, rgb)
                       for player, port, place in zip(players.ALL, ports, places) if receiver.data]
            for watch in watches:
                watch.wait(FRAMES)
            received = [watch.end() for watch in watches] or [[]] * len(players.ALL)
        frames = rtpjpeg.frames(receiver.collect(0.1).packets())
    return (kind.name, deed(kind, frames, sender.out.splitlines()[-1]),
            *(difference(player, kind, pixels, rgb) for player, pixels in zip(players.ALL, received)))


def deed(kind, frames, line):
    """What the program did, by its own counters, or by the frames that it sent where it counted nothing."""
    counted = [f"{words}, counted as `{counter}`" for counter, words in
               [("re-coded", "re-coded without loss"), ("encoded again", "decoded and encoded again")] if f" {counter}" in line]
    counted += [f"dropped, counted as `{name}`" for name in re.findall(r"(\w+) \d+[,)]", line) if name not in BEATS]
    sources = [rtpjpeg.jpeg(data) for data in kinds.plain(kind)] if not counted else []
    is_same = len(frames) >= FRAMES and all(any(rtpjpeg.same(frame, source) for source in sources) for frame in frames)
    return "; ".join(counted) or ("sent as it is" if is_same else "changed")


def difference(player, kind, received, rgb):
    """How what a player received differs from what it reads from the files."""
    if not received:
        return "-"
    is_unread = (player, kind.name) in UNREAD
    star = STAR if is_unread else ""
    if (player, kind.name) == UNCOMPARED:
        return "received"
    if is_unread and rgb:
        sources = kinds.pixels(kind)
    else:
        # Of a kind that only has something odd around the same picture, players read that as they like.
        folder = kinds.sources() if is_unread or kind.plain else kinds.folder(kind)
        sources = of_folder(player, folder, rgb)
    if rgb:
        return f"PSNR {int(min(max(psnr(one, source) for source in sources) for one in set(received[:FRAMES])))} dB{star}"
    return (SAME if len(received) >= FRAMES and set(received) == set(sources) else "other pixels") + star


@functools.cache
def of_folder(player, folder, rgb):
    return players.of_files(player, sorted(folder.iterdir()), rgb)


def psnr(one, other):
    """Over every 11th byte, which is each colour in turn."""
    one, other = one[::11], other[::11]
    error = math.dist(one, other) ** 2 / len(one)
    return 99 if not error else 10 * math.log10(255 ** 2 / error)


def table():
    head = ["kind of JPEG", "what `streamer` does", *(player.__name__ for player in players.ALL)]
    return "\n".join([readme.markdown([head, *(row(kind) for kind in kinds.KINDS)]), "", NOTE])


def main(words):
    if words and words != ["--write"]:
        for kind in kinds.KINDS:
            if any(word in kind.name for word in words):
                print(*row(kind), sep=" | ")
        return
    text = table()
    print(text)
    if words == ["--write"]:
        readme.write(NAME, text)


if __name__ == "__main__":
    main(sys.argv[1:])
