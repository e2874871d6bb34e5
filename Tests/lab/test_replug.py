"""A stream outlives its camera: unplugged and plugged in again, in the same port and in another, in the middle of a frame.
The other camera of the same program loses nothing, and the players that watch show pictures again by themselves.

REPLUG_ROUNDS (20 by make soak-replug) and QUICK_ROUNDS (200) say how often; SEED repeats a run that failed.
"""

import hashlib
import os
import random
import re
import statistics
import time
import unittest

import players
import program
import rtpjpeg
import streams
from camera import Camera, Mode, Source
from machine import HOST, Machine

SMALL = [Mode("MJPG", 640, 480, [30])]
REPLUG_ROUNDS = int(os.environ.get("REPLUG_ROUNDS", 4))
QUICK_ROUNDS = int(os.environ.get("QUICK_ROUNDS", 5))
WHOLE_FRAME = 25        # ms of the 33 that a frame takes to arrive: most unplugs are in the middle of one


def setUpModule():
    global machine, pictures, chance
    pictures = Source.made(SMALL)
    machine = unittest.enterModuleContext(Machine(cameras=3))
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    print("SEED =", seed)
    chance = random.Random(seed)


def scan(jpeg):
    """Without its EOI, which every receiver adds where it is missing."""
    return hashlib.sha256(jpeg.scan.removesuffix(b"\xff\xd9")).digest()


class Nodes:
    """When device nodes appear, by the host's clock in seconds: the kernel's own events, which have the guest's."""

    def __init__(self):
        self.offset = machine.clock().offset
        self.process = machine.spawn(["stdbuf", "-oL", "udevadm", "monitor", "--kernel", "--subsystem-match=video4linux"])
        self.process.wait_for("KERNEL - ")

    def appeared(self):
        found = re.findall(r"^KERNEL\[([0-9.]+)\] add +\S+/(video\d+) ", self.process.output()[0], re.M)
        return [float(stamp) + self.offset / 1e9 for stamp, _ in found]


class Replug(streams.Case):
    machine = property(lambda self: machine)

    def camera(self, number, serial):
        camera = Camera(machine.sockets[number], SMALL, pictures, serial=serial, spread=WHOLE_FRAME)
        # The next test's camera has the same name.
        self.addCleanup(machine.wait_for_path, camera.device, there=False)
        self.enterContext(camera)
        machine.wait_for_path(camera.device)
        return camera

    def stream_both(self, first, second, *words):
        process = machine.spawn([program.STREAMER, first.device, second.device, *words])
        self.addCleanup(lambda: process.running() and (process.signal("KILL"), process.wait(10)))
        for camera in first, second:
            process.wait_for(f"{camera.device}: watch it", timeout=30)
        return process

    def receivers(self):
        """Of two cameras: the second one's port is two above the first one's."""
        while True:
            first = self.enterContext(streams.Receiver())
            try:
                return first, self.enterContext(streams.Receiver(port=first.port + 2))
            except (OSError, OverflowError):
                pass

    def replug(self, camera, number):
        """In its port, which is `number`, or in another: the camera and its port then."""
        camera.unplug()
        machine.wait_for_path(camera.device, there=False)
        if number is None:
            camera.plug()
            return camera
        camera.__exit__()
        return self.enterContext(Camera(machine.sockets[number], SMALL, pictures, serial="LOST", spread=WHOLE_FRAME))

    def wait_for_silence(self, receiver):
        """Packets of before an unplug are on their way for a moment yet."""
        receiver.wait("silence", lambda: time.monotonic() - receiver.data[-1][0] > 0.2)

    def check_frames(self, packets):
        """No frame is another than those that the camera has, but for those that an unplugging cut."""
        whole = rtpjpeg.whole_frames(packets)
        known = {scan(rtpjpeg.jpeg(picture.data)) for picture in pictures.pictures["MJPG", 640, 480]}
        wrong = [frame for frame in whole if scan(frame) not in known]
        self.assertEqual(wrong, [])
        return len(whole)

    def test_it_streams_again(self):
        lost, other = self.camera(0, "LOST"), self.camera(1, "OTHER")
        first, second = self.receivers()
        nodes = Nodes()
        process = self.stream_both(lost, other, "--to", f"{HOST}:{first.port}")
        for receiver in first, second:
            self.wait_for_frames(receiver, 30)
        start, from_here = time.monotonic_ns(), len(second.data)
        delays, port = [], 0
        for number in range(REPLUG_ROUNDS):
            time.sleep(chance.uniform(0.3, 1))
            known = len(nodes.appeared())
            if number % 2:
                port = 2 - port
            lost = self.replug(lost, port if number % 2 else None)
            first.wait("a device node", lambda: len(nodes.appeared()) > known)
            appeared = nodes.appeared()[known]
            first.wait("a packet", lambda: first.data[-1][0] > appeared)
            delays.append(next(at for at, _ in first.data if at > appeared) - appeared)
        end = time.monotonic_ns()
        time.sleep(0.5)
        result = self.stop(process)
        for receiver in first, second:
            receiver.stop()
        delays.sort()
        print("seconds from the device node to the first packet:", *(f"{delay:.2f}" for delay in delays))
        # Of few the worst is no measure of the 95th percentile.
        self.assertLess(delays[int(0.95 * (len(delays) - 1))] if len(delays) >= 20 else statistics.median(delays), 1)
        self.check_session(first.packets())
        self.check_frames(first.packets())
        # The other camera: every frame that it sent meanwhile has come.
        packets = second.packets()
        self.check_session(packets)
        sent = sum(1 for frame in other.sent() if start < frame.first < end)
        # But for those that its driver lost, as it does with one camera alone on a busy machine.
        lost_by_driver = self.counts(result, other).get("driver", 0)
        self.assertGreaterEqual(self.check_frames(packets[from_here:]) + lost_by_driver, sent)
        self.assertLessEqual(lost_by_driver, 2 + sent // 100)
        self.assertEqual(result.stderr.count("it is back"), REPLUG_ROUNDS, result.stderr)
        self.assertNotIn(f"{other.device}: it is back", result.stderr)

    def test_nothing_is_left_behind(self):
        lost, other = self.camera(0, "LOST"), self.camera(1, "OTHER")
        first, second = self.receivers()
        process = self.stream_both(lost, other, "--to", f"{HOST}:{first.port}")
        self.wait_for_frames(first)

        def round():
            self.replug(lost, None)
            self.wait_for_silence(first)
            self.wait_for_frames(first, 3)
            for receiver in first, second:
                del receiver.data[:-1]

        for _ in range(2):      # what is made once
            round()
        before = self.holdings()
        for _ in range(QUICK_ROUNDS):
            round()
        after = self.holdings()
        print("before:", before, "after:", after)
        self.stop(process)
        self.assertEqual(after[:3], before[:3], "descriptors, mappings, threads")
        self.assertLessEqual(after[3], before[3] + 100, "kB of memory")

    def holdings(self):
        """Descriptors, mappings, threads, and kB of resident memory that are the program's own."""
        told = machine.run("p=/proc/$(pgrep -x streamer); ls $p/fd | wc -l; wc -l < $p/maps; ls $p/task | wc -l;"
                           " awk '/^RssAnon/ { print $2 }' $p/status").stdout
        return [int(word) for word in told.split()]

    def test_players_show_pictures_again(self):
        lost = self.camera(0, "LOST")
        port = program.free_port(4)
        ports = [port, port + 2]
        places = [word for port in ports for word in ("--to", f"{HOST}:{port}")]
        described = [machine.run([program.STREAMER, "sdp", lost.device, "--to", f"{HOST}:{port}"]) for port in ports]
        self.assertEqual([each.status for each in described], [0, 0], described)
        sdps = [each.stdout.replace(HOST, "127.0.0.1") for each in described]
        watches = [players.Watch(player, port, sdp) for player, port, sdp in zip(players.ALL, ports, sdps)]
        process = self.stream(lost.device, *places)
        for watch in watches:
            watch.wait(10)
        lost.unplug()
        machine.wait_for_path(lost.device, there=False)
        time.sleep(2)
        counts = [watch.count() for watch in watches]
        lost.plug()
        for player, watch, count in zip(players.ALL, watches, counts):
            watch.wait(count + 20)
            self.assertGreaterEqual(watch.count(), count + 20, f"{player.__name__} shows nothing more")
        self.stop(process)
        for watch in watches:
            watch.end()

    def test_two_whose_device_numbers_are_swapped(self):
        lost, other = self.camera(0, "LOST"), self.camera(1, "OTHER")
        first, second = self.receivers()
        process = self.stream_both(lost, other, "--to", f"{HOST}:{first.port}")
        numbers = [self.node(camera) for camera in (lost, other)]
        for camera in lost, other:
            camera.unplug()
            machine.wait_for_path(camera.device, there=False)
        for receiver in first, second:
            self.wait_for_silence(receiver)
        for camera in other, lost:
            camera.plug()
            machine.wait_for_path(camera.device)
        self.assertEqual([self.node(camera) for camera in (other, lost)], numbers)
        for receiver in first, second:
            self.wait_for_frames(receiver, 30)
        self.stop(process)
        for receiver in first, second:
            receiver.stop()
            self.check_session(receiver.packets())

    def node(self, camera):
        return machine.run(["readlink", "-f", camera.device]).stdout.strip()

    def test_by_number_it_is_found_under_another_number(self):
        """The name that was given is /dev/videoN: another camera has it meanwhile, and is not taken for it."""
        lost, other = self.camera(0, "LOST"), self.camera(1, "OTHER")
        node = self.node(lost)
        first, _ = self.receivers()
        process = self.stream(node, "--to", f"{HOST}:{first.port}")
        self.wait_for_frames(first)
        for camera in lost, other:
            camera.unplug()
            machine.wait_for_path(camera.device, there=False)
        self.wait_for_silence(first)
        other.plug()
        machine.wait_for_path(other.device)
        self.assertEqual(self.node(other), node)
        count = len(first.data)
        time.sleep(1.5)
        self.assertEqual(len(first.data), count, "another camera streams in its place")
        lost.plug()
        self.wait_for_frames(first)
        self.assertNotEqual(self.node(lost), node)
        self.stop(process)
        first.stop()
        self.check_session(first.packets())


if __name__ == "__main__":
    unittest.main()
