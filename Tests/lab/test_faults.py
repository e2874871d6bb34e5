"""The kernel's virtual camera fails in each way that it can while the program streams: the stream goes on, as the same source,
or the program says what is wrong. Its HDMI input changes its timings, loses its signal and gets it back; its TV input has two
standards."""

import re
import unittest

import rtpjpeg
import streams
from machine import HOST, Machine

CAMERA = "/dev/video0"
WEBCAM, TV, HDMI = 0, 1, 2
# What HDMI sources send, by its place in the list of vivid: 640x480, 720x480, 1920x1080 in fields, and 720x480 in fields, which
# it detects but does not capture.
VGA, NTSC, FIELDS, TOO_SLOW = 0, 2, 13, 1
# And whether anything comes in.
NO_SIGNAL, NO_LOCK, SELECTED = 1, 2, 4
machine = None


def setUpModule():
    global machine
    machine = unittest.enterModuleContext(Machine())
    # A webcam, a TV tuner and an HDMI input; the last two do not scale, as it is with most hardware.
    result = machine.run("modprobe vivid n_devs=1 node_types=0x1 num_inputs=3 input_types=0x34 ccs_cap_mode=0 no_error_inj=0")
    assert result.status == 0, result.stderr


def control(**values):
    words = ",".join(f"{name}={value}" for name, value in values.items())
    result = machine.run(["v4l2-ctl", "-d", CAMERA, "-c", words])
    assert result.status == 0, result.stderr


class Case(streams.Case):
    machine = property(lambda self: machine)
    input = WEBCAM
    words = ("--size", "320x180", "--fps", "30")

    def setUp(self):
        result = machine.run(["v4l2-ctl", "-d", CAMERA, "-i", str(self.input)])
        self.assertEqual(result.status, 0, result.stderr)

    def start(self, *words):
        """The program, and a receiver that has had some frames of it."""
        receiver = self.enterContext(streams.Receiver())
        process = self.stream(CAMERA, *self.words, "--to", f"{HOST}:{receiver.port}", *words)
        self.wait_for_frames(receiver)
        return process, receiver

    def end(self, process, receiver):
        """All that came is of one stream. What the program said, and its statistics at the end."""
        result = self.stop(process)
        receiver.stop()
        self.check_session(receiver.packets())
        return result.stderr, result.stdout.splitlines()[-1]

    def wait_for_size(self, receiver, width, height, seconds=20):
        """Some more frames, which are of this size."""
        size = width // 8, height // 8
        receiver.wait(f"a frame of {width}x{height}", lambda: self.size(receiver) == size, seconds)
        self.wait_for_frames(receiver, 5)
        self.assertEqual(self.size(receiver), size)

    def size(self, receiver):
        packet = rtpjpeg.parse(receiver.data[-1][1])
        return packet.width, packet.height


class Errors(Case):
    # By streams: what is injected together, and what the program says of it. A call of the start fails only where the stream
    # has to start again. More would be too much for one stream: the program logs six lines a minute.
    FAULTS = [
        [(["inject_vidioc_qbuf_error"], ["VIDIOC_QBUF"]),
         (["inject_vidioc_streamon_error", "inject_fatal_streaming_error"], ["(EIO)", "VIDIOC_STREAMON"])],
        [(["inject_vidioc_reqbufs_error", "inject_fatal_streaming_error"], ["(EIO)", "VIDIOC_REQBUFS"]),
         (["disconnect"], ["it was unplugged"])],
    ]

    def test_the_stream_outlives_them(self):
        for faults in self.FAULTS:
            with self.subTest(faults):
                process, receiver = self.start()
                for number, (buttons, parts) in enumerate(faults, 1):
                    for button in buttons:
                        control(**{button: 1})
                    self.wait_for_frames(receiver, 20)
                    receiver.wait("the news", lambda: process.output()[1].count("it is back") == number)
                said, _ = self.end(process, receiver)
                for part in (part for _, parts in faults for part in parts):
                    self.assertIn(part, said)

    def test_one_that_is_there_at_the_start(self):
        for call in "qbuf", "streamon", "reqbufs":
            with self.subTest(call):
                control(**{f"inject_vidioc_{call}_error": 1})
                self.fails([CAMERA, *self.words], 1, f"VIDIOC_{call.upper()} on {CAMERA}", "EINVAL")

    def test_who_waits_streams_after_it(self):
        control(inject_vidioc_streamon_error=1)
        process, receiver = self.start("--wait")
        said, _ = self.end(process, receiver)
        self.assertIn(f"VIDIOC_STREAMON on {CAMERA}", said)
        self.assertIn("it fails: trying again", said)


class Frames(Case):
    def test_flags_gaps_and_numbers_that_wrap(self):
        """The numbers begin 128 before they wrap, the timestamps 16 s before what 64 bits of nanoseconds hold."""
        control(wrap_sequence_number=1, wrap_timestamp=1)
        try:
            process, receiver = self.start()
            start = receiver.data[0][0]
            for _ in range(3):
                control(inject_v4l2_buf_flag_error=1)
            control(percentage_of_dropped_buffers=50)
            self.wait_for_frames(receiver, 30)
            control(percentage_of_dropped_buffers=0)
            receiver.wait("17 s of frames", lambda: receiver.data[-1][0] - start > 17)
            said, statistics = self.end(process, receiver)
            self.assertRegex(statistics, r"error_flag [1-3]\b")
            self.assertIn("frames are timed by their arrival", said)
            self.assertNotIn("trying again", said)
            dropped = int(re.search(r"driver (\d+)", statistics)[1])
            self.assertTrue(20 <= dropped < 600, statistics)
        finally:
            control(wrap_sequence_number=0, wrap_timestamp=0, percentage_of_dropped_buffers=0)


class Hdmi(Case):
    input = HDMI
    words = ()

    def source(self, timings):
        """Something is connected that sends these timings."""
        control(dv_timings_signal_mode=SELECTED, dv_timings=timings)

    def test_its_signal_changes_and_goes(self):
        self.source(VGA)
        process, receiver = self.start()
        self.wait_for_size(receiver, 640, 480)
        self.source(NTSC)
        self.wait_for_size(receiver, 720, 480)
        for mode, timings, text in [(NO_SIGNAL, VGA, "nothing comes in at its input"),
                                    (SELECTED, TOO_SLOW, "what comes in at its input is not what it can capture")]:
            control(dv_timings_signal_mode=mode, dv_timings=timings)
            process.wait_for(f"{CAMERA}: {text}: no signal, waiting", 10)
            self.source(VGA)
            self.wait_for_size(receiver, 640, 480)
        self.end(process, receiver)

    def test_fields(self):
        self.source(VGA)
        process, receiver = self.start()
        self.source(FIELDS)
        process.wait_for("have its source send progressive video", 10)
        self.source(VGA)
        self.wait_for_frames(receiver)
        self.end(process, receiver)

    def test_without_a_signal_it_waits(self):
        control(dv_timings_signal_mode=NO_LOCK)
        receiver = self.enterContext(streams.Receiver())
        process = self.stream(CAMERA, "--to", f"{HOST}:{receiver.port}",
                              says=f"{CAMERA}: what comes in at its input is not stable: no signal, waiting")
        self.source(VGA)
        self.wait_for_frames(receiver)
        self.end(process, receiver)


class Tv(Case):
    input = TV

    def test_standards(self):
        for standard, height, rate in [("PAL", 576, "25"), ("NTSC", 480, "29.97")]:
            with self.subTest(standard):
                self.words = ("--input", "TV 0", "--standard", standard)
                process, receiver = self.start()
                self.wait_for_size(receiver, 720, height)
                said, _ = self.end(process, receiver)
                self.assertIn(f"720x{height} at {rate} fps", said)

    def test_its_signal_goes(self):
        self.words = ()
        process, receiver = self.start()
        control(standard_signal_mode=NO_SIGNAL)
        process.wait_for(f"{CAMERA}: nothing comes in at its input: no signal, waiting", 10)
        control(standard_signal_mode=0)
        self.wait_for_frames(receiver)
        self.end(process, receiver)


if __name__ == "__main__":
    unittest.main()
