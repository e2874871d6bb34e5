#!/usr/bin/env python3
"""Raw cameras in the lab: vivid, with formats by the dozen, and the UVC camera with YUYV. What is received is what libjpeg-turbo
alone makes of the same planes, and the colours are right."""

import itertools
import json
import pathlib
import re
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "program")]

import players
import program
import raw
import rtpjpeg
import streams
from camera import Camera, Mode, Source
from machine import HOST, Machine

STREAMER = program.STREAMER
UVC = [Mode("YUYV", 320, 240, [15])]
WEBCAM, HDMI = 0, 3             # vivid's inputs: the first has a list of sizes, the last a range
machine = single = multi = None
serials = itertools.count()


def setUpModule():
    global machine
    machine = unittest.enterModuleContext(Machine(cameras=1))
    load_vivid()


def load_vivid():
    global single, multi
    # It crops and scales (1 and 4), but does not compose: such a rectangle stays small when a format grows, the rest of its
    # picture is never filled, and v4l2-ctl writes only what is in it.
    machine.run("modprobe vivid n_devs=2 multiplanar=1,2 node_types=0x1,0x1 ccs_cap_mode=5,5 no_error_inj=0")
    found = machine.run("for d in /sys/class/video4linux/video*; do grep -q vivid $d/name && echo /dev/${d##*/}; done")
    single, multi = found.stdout.split()
    for path in (single, multi):
        # Nothing that changes from frame to frame.
        control(path, osd_text_mode=2)


def control(path, **values):
    words = ",".join(f"{name}={value}" for name, value in values.items())
    result = machine.run(["v4l2-ctl", "-d", path, "-c", words])
    assert result.status == 0, result.stderr


def value(path, name):
    return int(re.search(r": (-?\d+)", machine.run(["v4l2-ctl", "-d", path, "-C", name]).stdout)[1])


def capture(path, fourcc, width, height):
    """A frame's bytes, all planes behind each other, as v4l2-ctl gets them."""
    result = machine.run(["v4l2-ctl", "-d", path, f"--set-fmt-video=width={width},height={height},pixelformat={fourcc}",
                          "--stream-mmap", "--stream-count=1", "--stream-to=/lab/frame.raw"])
    assert result.status == 0, result.stderr
    return (machine.shared / "frame.raw").read_bytes()


def cropped(picture, width, height):
    """RTP/JPEG says sizes in units of 8: players show the whole of the last blocks, which repeat its edge."""
    wide, high = (width + 7) // 8 * 8, (height + 7) // 8 * 8
    if len(picture) != 3 * wide * high:
        return picture
    return b"".join(picture[3 * wide * line:][:3 * width] for line in range(height))


class Case(streams.Case):
    machine = property(lambda self: machine)

    def watch(self, words, size, count=3, others=()):
        """What FFmpeg and GStreamer get of a stream, in RGB, and the frames that a socket gets; the program's result."""
        ports = [program.free_port(4), program.free_port(8) + 4]
        receiver = self.enterContext(rtpjpeg.Receiver())
        to = [word for port in [*ports, receiver.port] for word in ("--to", f"{HOST}:{port}")]
        sdp = machine.run([STREAMER, "sdp", words[0], "--to", f"{HOST}:{ports[0]}", *others]).stdout.replace(HOST, "127.0.0.1")
        watches = [players.Watch(player, port, sdp, rgb=True) for player, port in zip(players.ALL, ports)]
        process = self.stream(*words, *to)
        for each in watches:
            each.wait(count)
        receiver.collect(10, until=lambda r: r.markers() >= count)
        result = self.stop(process)
        return [[cropped(picture, *size) for picture in each.end()] for each in watches], rtpjpeg.whole_frames(receiver.packets()), result


class Pictures(Case):
    def check(self, path, fourcc, width, height, rate=("--fps", "15")):
        data = capture(path, fourcc, width, height)
        reference = raw.jpeg(fourcc, data, width, height, 90)
        words = ["--format", fourcc, "--size", f"{width}x{height}", "--range", "as-is", "--quality", "90", *rate]
        seen, frames, result = self.watch([path, *words], (width, height), others=words[:4])
        self.assertGreaterEqual(len(frames), 3, result.stderr)
        source = rtpjpeg.jpeg(reference)
        self.assertTrue(rtpjpeg.same(frames[-1], source), "not the bytes that libjpeg-turbo alone makes")
        original = raw.rgb(fourcc, data, width, height)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "reference.jpg")
            path.write_bytes(reference)
            for player, received in zip(players.ALL, seen):
                alone, = players.of_files(player, [path], rgb=True)
                self.assertGreaterEqual(len(received), 3, player.__name__)
                self.assertEqual(len(received[-1]), 3 * width * height, player.__name__)
                self.assertGreater(raw.psnr(received[-1], original), raw.psnr(alone, original) - 0.5, player.__name__)

    def test_formats(self):
        control(single, test_pattern=0)
        for path, fourcc in [(single, "YUYV"), (single, "UYVY"), (single, "NV12"), (single, "YU12"), (single, "GREY"),
                             (single, "RGB3"), (single, "RGBP"), (multi, "NV12"), (multi, "NM12"), (multi, "YM12")]:
            with self.subTest(f"{fourcc} of {path}"):
                self.check(path, fourcc, 320, 180)

    def hdmi(self):
        for path in (single, multi):
            machine.run(["v4l2-ctl", "-d", path, "-i", str(HDMI)])
            self.addCleanup(machine.run, ["v4l2-ctl", "-d", path, "-i", str(WEBCAM)])

    def test_sizes_that_are_no_multiples_of_16(self):
        self.hdmi()
        control(single, test_pattern=0)
        for path, fourcc, width, height in [(single, "YUYV", 330, 182), (single, "NV12", 330, 182), (single, "NV16", 330, 182),
                                            (single, "422P", 330, 182), (single, "YU12", 332, 182), (single, "YV12", 332, 182),
                                            (single, "YU12", 328, 180), (single, "YU12", 336, 182), (single, "GREY", 330, 182),
                                            (single, "RGB3", 330, 182), (multi, "NM12", 330, 182), (multi, "YM12", 202, 154),
                                            (multi, "YM12", 330, 182), (multi, "YU12", 332, 182)]:
            with self.subTest(f"{fourcc} {width}x{height} of {path}"):
                self.check(path, fourcc, width, height, rate=())

    def test_what_the_driver_does_not_count_is_not_there(self):
        """vivid counts a line of Cb or Cr as 82 bytes for each line of luma, where it is 82.5."""
        self.hdmi()
        control(single, test_pattern=0)
        for path, fourcc in [(single, "YU12"), (single, "YV12"), (multi, "YU12")]:
            data = capture(path, fourcc, 330, 182)
            self.assertEqual(len(data), (330 + 82 + 82) * 182)
            expected = rtpjpeg.jpeg(raw.jpeg(fourcc, data, 330, 182, 90))
            words = [path, "--format", fourcc, "--size", "330x182", "--range", "as-is", "--quality", "90"]
            for more, part in [((), r" 0 sent, .*cut_short [1-9]"), (("--bad-frames", "repair"), r" [1-9]\d* repaired")]:
                with self.subTest(f"{fourcc} of {path} {more}"), rtpjpeg.Receiver() as receiver:
                    process = self.stream(*words, *more, "--to", f"{HOST}:{receiver.port}")
                    receiver.collect(5 if more else 1, until=lambda r: r.markers() >= 3)
                    result = self.stop(process)
                    self.assertRegex(result.stdout.splitlines()[-1], part)
                    frames = rtpjpeg.whole_frames(receiver.packets())
                    self.assertEqual(bool(frames), bool(more))
                    for frame in frames:
                        self.assertTrue(rtpjpeg.same(frame, expected), "the missing lines are grey, and no others")

    def test_a_uvc_camera_with_yuyv(self):
        frames = Source.made(UVC)
        camera = self.enterContext(Camera(machine.sockets[0], UVC, frames, serial=f"R{next(serials)}"))
        machine.wait_for_path(camera.device)
        for words, sampling in [((), raw.YUV420), (("--subsampling", "422"), raw.YUV422)]:
            sources = [rtpjpeg.jpeg(raw.jpeg("YUYV", bytes(picture.data), 320, 240, 80, sampling))
                       for picture in frames.pictures["YUYV", 320, 240]]
            with self.subTest(sampling), rtpjpeg.Receiver() as receiver:
                # JPEG is what is looked for first; this camera has none.
                process = self.stream(camera.device, "--to", f"{HOST}:{receiver.port}", "--range", "as-is", *words)
                receiver.collect(15, until=lambda r: r.markers() >= 30)
                result = self.stop(process)
                self.assertIn("YUYV 320x240 at 15 fps, 4 buffers, encoded here to JPEG", result.stderr)
                received = rtpjpeg.whole_frames(receiver.packets())
                self.assertGreaterEqual(len(received), 30)
                for frame in received:
                    self.assertTrue(any(rtpjpeg.same(frame, source) for source in sources))


class Colours(Case):
    """vivid's bars of 75 %: white, yellow, cyan, green, magenta, red, blue, black."""

    BARS = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191), (0, 0, 0)]

    def bars(self, picture, width, height):
        """The colour in the middle of each bar."""
        found = []
        for bar in range(8):
            x, y = round((bar + 0.5) * width / 8), height // 2
            spots = [picture[3 * (line * width + column):][:3] for line in range(y - 3, y + 3) for column in range(x - 4, x + 4)]
            found.append(tuple(round(sum(spot[part] for spot in spots) / len(spots)) for part in range(3)))
        return found

    def check(self, path, fourcc, bars=BARS, words=(), most=6):
        words = ["--format", fourcc, "--size", "320x180", "--fps", "15", "--quality", "95", *words]
        seen, _, result = self.watch([path, *words], (320, 180), others=words[:4])
        for player, received in zip(players.ALL, seen):
            self.assertGreater(len(received), 0, player.__name__ + result.stderr)
            found = self.bars(received[-1], 320, 180)
            worst = max(abs(a - b) for one, other in zip(found, bars) for a, b in zip(one, other))
            self.assertLessEqual(worst, most, f"{player.__name__}: {found}")

    def test_bars(self):
        for path, fourcc in [(single, "YUYV"), (single, "NV12"), (multi, "NM12"), (single, "YU12"), (single, "RGB3"),
                             (single, "BGR4"), (single, "BA81")]:
            with self.subTest(fourcc):
                self.check(path, fourcc)

    def test_encodings_and_ranges(self):
        """BT.601, BT.709, BT.2020 and SMPTE 240M; full and limited range."""
        for fourcc, encoding, quantization in [("YUYV", 1, 1), ("YUYV", 2, 1), ("NV12", 2, 2), ("YU12", 6, 2), ("UYVY", 8, 1),
                                               ("RGB3", 0, 2)]:
            with self.subTest(f"{fourcc}, encoding {encoding}, quantization {quantization}"):
                control(single, y_cbcr_encoding=encoding, quantization=quantization)
                try:
                    self.check(single, fourcc)
                finally:
                    control(single, y_cbcr_encoding=0, quantization=0)

    def test_as_is_leaves_the_numbers(self):
        bars = [tuple(16 + round(part * 219 / 255) for part in bar) for bar in self.BARS]
        self.check(single, "YUYV", bars=bars, words=("--range", "as-is"))


class Faults(Case):
    def test_what_is_not_offered_is_listed(self):
        for words in (["--format", "mjpeg"], ["--format", "nm12"], ["--size", "641x480"], ["--fps", "61"]):
            self.fails([single, *words], 2, f"does not offer {words[0]}", "  YUYV 640x360 at ", "  NV12 1280x720")

    def test_a_taken_camera(self):
        process = self.stream(single, "--size", "320x180", "--to", f"{HOST}:9")
        self.fails([single, "--size", "320x180"], 1, single, "EBUSY", "another program has it open")
        self.stop(process)

    def test_flagged_frames(self):
        for words, part in [((), r"dropped \(.*error_flag [1-3]\b"), (("--bad-frames", "repair"), r" [1-3] repaired")]:
            with self.subTest(words), rtpjpeg.Receiver() as receiver:
                process = self.stream(single, "--size", "320x180", "--fps", "15", "--to", f"{HOST}:{receiver.port}", *words)
                receiver.collect(5, until=lambda r: r.markers() >= 5)
                for _ in range(3):
                    control(single, inject_v4l2_buf_flag_error=1)
                receiver.collect(3, until=lambda r: r.markers() >= 40)
                result = self.stop(process)
                self.assertRegex(result.stdout.splitlines()[-1], part)

    def test_unplugged_it_says_so(self):
        with rtpjpeg.Receiver() as receiver:
            process = self.stream(multi, "--size", "320x180", "--fps", "15", "--exit-on-loss", "--to", f"{HOST}:{receiver.port}")
            receiver.collect(5, until=lambda r: r.markers() >= 3)
            control(multi, disconnect=1)
            result = process.wait(10)
            self.assertEqual(result.status, 1)
            self.assertIn("it was unplugged", result.stderr)
        # For the tests behind it.
        machine.run("modprobe -r vivid")
        load_vivid()

    def test_nothing_is_allocated(self):
        for words in (("--format", "YUYV"), ("--format", "NV12", "--bitrate", "2"), ("--format", "RGB3")):
            with self.subTest(words), rtpjpeg.Receiver() as receiver:
                process = self.stream(single, "--size", "320x180", "--fps", "30", *words, "--to", f"{HOST}:{receiver.port}",
                                      env={"LD_PRELOAD": program.PROBE, "PROBE_OUT": "/lab/probe.json"})
                receiver.collect(20, until=lambda r: r.markers() >= 110)
                self.stop(process)
                report = json.loads((machine.shared / "probe.json").read_text())
                self.assertGreaterEqual(report["frames"], 100)
                self.assertEqual((report["allocations"], report["first_caller"]), (0, ""))


class Controls(Case):
    def test_list(self):
        found = {each["path"]: each for each in json.loads(machine.run([STREAMER, "list", "--json"]).stdout)}
        controls = {each["name"]: each for each in found[single]["controls"]}
        self.assertEqual({key: controls["brightness"][key] for key in ("type", "minimum", "maximum", "step", "default")},
                         dict(type="integer", minimum=0, maximum=255, step=1, default=128))
        self.assertEqual(controls["hue"]["minimum"], -128)
        self.assertEqual(controls["test_pattern"]["menu"][0], dict(index=0, name="75% Colorbar"))
        # vivid leaves its first one out.
        self.assertEqual(controls["integer_menu"]["menu"][:2], [dict(index=2, name="2"), dict(index=3, name="3")])
        # All that v4l2-ctl has, but those that are no single number.
        shown = machine.run(["v4l2-ctl", "-d", single, "-l"]).stdout
        names = re.findall(r"^ +(\w+) 0x\w+ \((?:int|int64|bool|menu|intmenu|bitmask|button)\) *:", shown, re.MULTILINE)
        self.assertEqual(list(controls), names)
        for name, now in re.findall(r"^ +(\w+) 0x\w+ \((?:int|bool|menu)\) .* value=(-?\d+)\b(?! .*volatile)", shown, re.MULTILINE):
            self.assertEqual(controls[name]["value"], int(now), name)
        text = machine.run([STREAMER, "list"]).stdout
        self.assertIn("  brightness=0 to 255 (default 128, now 128)\n", text)
        self.assertIn("  test_pattern=0 (75% Colorbar)|1 (100% Colorbar)", text)

    def test_set(self):
        words = ["--set", "brightness=200", "--set", "test_pattern=100% colorbar", "--set", "mute=on", "--set", "hue=-12",
                 "--set", "integer_64_bits=-9000000000", "--set", "bitmask=0x80402000", "--set", "gain_automatic=off",
                 "--set", "gain=77", "--set", "button="]
        try:
            process = self.stream(single, "--size", "320x180", *words, "--to", f"{HOST}:9")
            result = self.stop(process)
            self.assertNotIn("its driver set", result.stderr)
            for name, number in [("brightness", 200), ("test_pattern", 1), ("mute", 1), ("hue", -12), ("gain", 77),
                                 ("integer_64_bits", -9_000_000_000)]:
                self.assertEqual(value(single, name), number, name)
        finally:
            control(single, brightness=128, test_pattern=0, mute=0, hue=0, integer_64_bits=0, gain_automatic=1)

    def test_wrong_ones(self):
        for word, *parts in [("brightnes=1", "has no such control", "did you mean brightness?"),
                             ("exposure_time=1", "has no such control; it has brightness, contrast"),
                             ("brightness=256", "it takes 0 to 255"), ("brightness=-1", "it takes 0 to 255"),
                             ("brightness=much", "it takes a whole number"), ("mute=2", "on or off"),
                             ("test_pattern=99", "it takes one of 0 (75% Colorbar), 1 (100% Colorbar)"),
                             ("read_only_integer_32_bits=1", "can only be read"), ("brightness", "NAME=VALUE")]:
            with self.subTest(word):
                result = machine.run([STREAMER, single, "--set", word, "--to", f"{HOST}:9"], timeout=20)
                self.assertEqual(result.status, 2, result.stderr)
                for part in (f"--set ", *parts):
                    self.assertIn(part, result.stderr)

    def test_flips(self):
        try:
            for words, ways in [(("--flip", "h"), (1, 0)), (("--flip", "v"), (0, 1)), (("--rotate", "180"), (1, 1)),
                                (("--rotate", "180", "--flip", "h"), (0, 1)), (("--rotate", "0"), (0, 0))]:
                self.stop(self.stream(single, "--size", "320x180", *words, "--to", f"{HOST}:9"))
                self.assertEqual((value(single, "horizontal_flip"), value(single, "vertical_flip")), ways, words)
            Colours.check(self, single, "YUYV", bars=Colours.BARS[::-1], words=("--flip", "h"))
        finally:
            control(single, horizontal_flip=0, vertical_flip=0)

    bars = Colours.bars

    def test_a_camera_without_them_says_so(self):
        frames = Source.made(UVC)
        camera = self.enterContext(Camera(machine.sockets[0], UVC, frames, serial=f"R{next(serials)}"))
        machine.wait_for_path(camera.device)
        result = machine.run([STREAMER, camera.device, "--flip", "h", "--to", f"{HOST}:9"], timeout=20)
        self.assertEqual(result.status, 1, result.stderr)
        self.assertIn("can't turn its picture left to right", result.stderr)


if __name__ == "__main__":
    unittest.main()
