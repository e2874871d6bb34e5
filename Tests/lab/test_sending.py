#!/usr/bin/env python3
"""How the program hands packets to the kernel, in the lab: network cards that take segments and one that does not, slow
and lossy ways, and what a frame costs in system calls."""

import collections
import json
import pathlib
import re
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "program")]

import pictures
import program
import rtpjpeg
from camera import Camera, Mode, Source
from machine import Machine

E1000, VIRTIO = "10.0.2.2", "10.0.3.2"      # the host's loopback by the one card and by the other
STREAMER = program.STREAMER
MODES = [Mode("MJPG", 1920, 1080, [30, 10])]

machine = None


def setUpModule():
    global machine
    machine = unittest.enterModuleContext(Machine(cameras=1, nics=("e1000e", "virtio")))


class Case(unittest.TestCase):
    def stream(self, *words, wait_for="fps, ", run=()):
        process = machine.spawn([*run, STREAMER, *map(str, words)])
        self.addCleanup(lambda: process.running() and (process.signal("KILL"), process.wait(10)))
        process.wait_for(wait_for, timeout=20)
        return process

    def receiver(self):
        return self.enterContext(rtpjpeg.Receiver())

    def stop(self, process):
        process.signal("TERM")
        result = process.wait(15)
        self.assertEqual(result.status, 0, result.stderr)
        return result

    def shape(self, card, *words):
        """A queue discipline on a card, until the test ends."""
        self.assertEqual(machine.run(["tc", "qdisc", "replace", "dev", card, "root", *words]).status, 0)
        self.addCleanup(lambda: machine.run(["tc", "qdisc", "del", "dev", card, "root"]))

    def large(self):
        """Pictures of 1080p and some 165 kB, in a folder that the guest sees."""
        return "file:%s" % pictures.jpegs(1920, 1080)


class Segments(Case):
    def test_a_card_that_refuses_segments_loses_nothing(self):
        """Beside one that takes them: the same packets to both, none missing, and it is said once."""
        one, other = self.receiver(), self.receiver()
        # Packets to a host whose Ethernet address is not known yet wait in the kernel, and the oldest are dropped when there
        # are too many of them: it shall be known.
        process = self.stream("test:", "--size", "64x64", "--to", f"{E1000}:9", "--to", f"{VIRTIO}:9")
        known = machine.run("for i in $(seq 100); do [ $(ip neigh | grep -c lladdr) -ge 2 ] && exit 0; sleep 0.1; done; exit 1")
        self.assertEqual(known.status, 0, machine.run("ip neigh").stdout)
        self.stop(process)
        process = self.stream(self.large(), "--fps", 5, "--to", f"{E1000}:{one.port}", "--to", f"{VIRTIO}:{other.port}")
        for receiver in (one, other):
            receiver.collect(20, until=lambda r: r.markers() >= 10)
        result = self.stop(process)
        for receiver in (one, other):
            receiver.collect(1)
        # The very first packet is there: none was lost to the refusal.
        first, second = one.packets(), other.packets()
        self.assertEqual(first[0].offset, 0)
        self.assertEqual((first[0].sequence, first[0].scan), (second[0].sequence, second[0].scan))
        for packets in (first, second):
            self.assertGreaterEqual(len(rtpjpeg.frames(packets)), 10)
        self.assertEqual([packet.scan for packet in first], [packet.scan for packet in second])
        self.assertEqual(result.stderr.count("takes no segmented sends"), 1, result.stderr)
        self.assertIn(f"{VIRTIO}:{other.port} takes no segmented sends", result.stderr)

    def test_six_system_calls_a_frame(self):
        """epoll_wait, DQBUF, three times sendmsg for some 120 packets, QBUF."""
        camera = self.enterContext(Camera(machine.sockets[0], MODES, Source.made(MODES), serial="calls"))
        machine.wait_for_path(camera.device)
        receiver = self.receiver()
        process = self.stream(camera.device, "--fps", 10, "--early", "off", "--to", f"{E1000}:{receiver.port}", wait_for="buffers, to ",
                              run=["strace", "-f", "-qq", "-o", "/lab/calls.txt"])
        receiver.collect(40, until=lambda r: r.markers() >= 30)
        machine.run("pkill -TERM -x streamer")
        process.wait(20)
        calls = collections.defaultdict(list)
        for line in (machine.shared / "calls.txt").read_text().splitlines():
            thread, _, call = line.partition(" ")
            if match := re.match(r"\s*(?:<\.\.\. )?(\w+)", call):
                name = next((word for word in ("VIDIOC_DQBUF", "VIDIOC_QBUF") if word in call), match[1])
                if "resumed>" not in call:
                    calls[thread].append(name)
        camera_calls = max(calls.values(), key=lambda names: names.count("VIDIOC_DQBUF"))
        text = " ".join(camera_calls)
        frames = collections.Counter(re.findall(r"epoll_wait (VIDIOC_DQBUF(?: (?!VIDIOC_DQBUF|epoll_wait)\w+)*)", text))
        usual, count = frames.most_common(1)[0]
        self.assertEqual(usual, "VIDIOC_DQBUF sendmsg sendmsg sendmsg VIDIOC_QBUF", frames)
        # Others have a report or a second's watch between.
        self.assertGreater(count, 20, frames)


class Ways(Case):
    def test_one_that_is_not_there_delays_none(self):
        good = self.receiver()
        process = self.stream(self.large(), "--fps", 5, "--to", "127.0.0.1:9", "--to", f"{E1000}:{good.port}",
                              "--to", "10.0.3.99:5000")
        good.collect(20, until=lambda r: r.markers() >= 20)
        result = self.stop(process)
        good.collect(1)
        self.assertGreaterEqual(len(rtpjpeg.frames(good.packets())), 20)
        self.assertIn("left out as unreachable", result.stdout)

    def test_a_network_that_comes_later_is_waited_for(self):
        """There is no route to the one at the start (ENETUNREACH): the other gets all, and the one as soon as there is."""
        good, later = self.receiver(), self.receiver()
        default = machine.run("ip route show default").stdout.strip()
        self.assertEqual(machine.run("ip route del default; ip link set eth1 down").status, 0)
        self.addCleanup(lambda: machine.run(f"ip link set eth1 up; ip route replace {default}"))
        process = self.stream("test:", "--size", "320x240", "--to", f"{VIRTIO}:{later.port}", "--to", f"{E1000}:{good.port}")
        good.collect(20, until=lambda r: r.markers() >= 30)
        self.assertFalse(later.data)
        self.assertEqual(machine.run("ip link set eth1 up").status, 0)
        later.collect(20, until=lambda r: r.markers() >= 10)
        result = self.stop(process)
        self.assertGreaterEqual(len(rtpjpeg.whole_frames(later.packets())), 9)
        self.assertIn("(ENETUNREACH); the network is not up, or has no route there", result.stderr)

    def test_a_group_is_joined_when_its_network_comes(self):
        """For the reports of the stream's receivers."""
        default = machine.run("ip route show default").stdout.strip()
        self.assertEqual(machine.run("ip route del default; ip link set eth1 down").status, 0)
        self.addCleanup(lambda: machine.run(f"ip link set eth1 up; ip route del 239.0.0.0/8; ip route replace {default}"))
        process = self.stream("test:", "--size", "320x240", "--to", "239.9.8.7:5000")
        process.wait_for("ENETUNREACH", timeout=15)
        self.assertNotIn("239.9.8.7", machine.run("ip maddr show").stdout)
        self.assertEqual(machine.run("ip link set eth1 up; ip route add 239.0.0.0/8 dev eth1").status, 0)
        end = time.monotonic() + 15
        while "239.9.8.7" not in machine.run("ip maddr show dev eth1").stdout:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)
        self.stop(process)

    def test_a_full_socket_delays_none(self):
        """One way takes 5 Mbit/s: its receiver gets whole frames, if fewer; the other gets every packet."""
        self.shape("eth1", "tbf", "rate", "5mbit", "burst", "20kb", "limit", "10mb")
        good, slow = self.receiver(), self.receiver()
        process = self.stream(self.large(), "--fps", 8, "--to", f"{VIRTIO}:{slow.port}", "--to", f"{E1000}:{good.port}")
        end = time.monotonic() + 12
        while time.monotonic() < end:
            good.collect(0.05)
            slow.collect(0.05)
        result = self.stop(process)
        good.collect(0.5)
        frames = rtpjpeg.frames(good.packets())
        self.assertGreater(len(frames), 80)
        whole = rtpjpeg.whole_frames(slow.packets())
        # 5 Mbit/s are some 3.5 of these frames a second.
        self.assertGreater(len(whole), 20)
        self.assertTrue({frame.scan for frame in whole} <= {frame.scan for frame in frames})
        self.assertIn("left out as late", result.stdout)

    def test_losses_on_the_way_are_told_by_the_receiver(self):
        """A queue that drops a fifth: nothing stalls, and the sender's statistics have it from the receiver's reports."""
        self.shape("eth1", "netem", "loss", "20%")
        port = program.free_port()
        with program.Run("receive", f"127.0.0.1:{port}", "--json", "--seconds", 12, wait_for="receiving at") as receiver:
            process = self.stream("test:", "--size", "320x240", "--fps", 20, "--to", f"{VIRTIO}:{port}", "--stats", 1)
            receiver.wait(30)
            result = self.stop(process)
        counts = json.loads(receiver.out)
        self.assertGreater(counts["lost"], 50)
        self.assertGreater(counts["frames"], 30)
        told = [float(each) for each in re.findall(r"reports ([\d.]+) % lost", result.stdout)]
        self.assertTrue(told and 5 < max(told) < 50, told)

    def test_pacing_saves_what_a_short_queue_drops(self):
        """1080p of some 170 kB through 60 Mbit/s, with a queue of 50 kB that drops what exceeds it. An emulated card takes
        some 10 ms for such a frame: at 100 Mbit/s most of its packets have left the queue by then."""
        self.shape("eth1", "tbf", "rate", "60mbit", "burst", "5kb", "limit", "50kb")
        whole = {}
        for pace in ("off", "on"):
            receiver = self.receiver()
            process = self.stream(self.large(), "--fps", 10, "--pace", pace, "--gso", "off", "--to", f"{VIRTIO}:{receiver.port}")
            receiver.collect(6)
            result = self.stop(process)
            frames, sent = map(int, re.search(r"(\d+) frames, (\d+) sent", result.stdout.splitlines()[-1]).groups())
            received = len(rtpjpeg.whole_frames(receiver.packets()))
            # What the queue drops is reported to the program (IP_RECVERR), and does not count as sent.
            self.assertLessEqual(abs(sent - received), 1, result.stdout)
            whole[pace] = received / frames
        self.assertLess(whole["off"], 0.2)
        self.assertGreater(whole["on"], 0.95)

    def test_the_kernel_paces_where_its_queue_does(self):
        """It is asked, also while frames are sent: fq, fq that is told not to, and a queue that does not know of it."""
        self.shape("eth0", "fq")
        receiver = self.receiver()
        process = self.stream(self.large(), "--fps", 10, "--pace", "on", "--to", f"{E1000}:{receiver.port}",
                              wait_for="are spread by the kernel (fq on eth0)")
        receiver.collect(20, until=lambda r: r.markers() >= 30)
        by_kernel = self.spreads(receiver)
        for words in ["fq", "nopacing"], ["pfifo"]:
            machine.run(["tc", "qdisc", "replace", "dev", "eth0", "root", *words])
            process.wait_for(f"are spread by a timer, since the queue of eth0 is {words[0]}", timeout=5)
            # What waited in the socket meanwhile has no time of arrival.
            receiver.collect(0.5)
            receiver.data.clear()
            receiver.collect(20, until=lambda r: r.markers() >= 10)
        by_timer = self.spreads(receiver)
        result = self.stop(process)
        # What a queue has when it is replaced is dropped without a word to the program.
        self.assertNotIn("sent in part", result.stdout + result.stderr)
        # At 50 Mbit/s, since half the interval would be slower still.
        for spreads in (by_kernel, by_timer):
            self.assertTrue(18 < sorted(spreads)[len(spreads) // 2] < 40, spreads)

    def spreads(self, receiver):
        """Milliseconds from the first packet of a whole frame to its last."""
        times = collections.defaultdict(list)
        for at, packet in receiver.data:
            times[packet[4:8]].append(at * 1e3)
        spreads = [max(each) - min(each) for each in list(times.values())[1:-1]]
        self.assertGreaterEqual(len(rtpjpeg.whole_frames(receiver.packets())), len(spreads))
        return spreads

    def test_packets_become_as_small_as_the_way_needs(self):
        """And stay as they were asked for, with a word about it, where their size is fixed."""
        # The card is down for seconds after that, and packets are lost meanwhile: those of the next test, too.
        usual = ("ip link set eth0 mtu 1500; ip route flush type unreachable;"
                 " until [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do sleep 0.1; done")
        self.addCleanup(lambda: machine.run(usual))
        # The second has a receiver that can't be reached: it is through with each frame at once, and then isn't. Its frames
        # are too small to be spread.
        for words, adapts in (([self.large()], True), (["test:", "--size", "320x240", "--pace", "on", "--to", "10.9.9.9:9"], True),
                              ([self.large(), "--mtu", "1400"], False)):
            machine.run(usual)
            receiver = self.receiver()
            process = self.stream(*words, "--fps", 5, "--to", f"{E1000}:{receiver.port}")
            receiver.collect(10, until=lambda r: r.markers() >= 5)
            machine.run("ip route replace unreachable 10.9.9.9; ip link set eth0 mtu 1000")
            # The card is down for a moment then.
            process.wait_for("packets have up to 972 bytes now" if adapts else "helps", timeout=10)
            before = receiver.markers()
            receiver.collect(20 if adapts else 1, until=lambda r: r.markers() >= before + 10)
            result = self.stop(process)
            packets = receiver.packets()
            self.assertEqual(max(packet.size for packet in packets[:5]), 1400)
            if adapts:
                self.assertGreaterEqual(receiver.markers(), before + 10)
                last = {packet.timestamp: None for packet in packets}
                self.assertEqual(max(packet.size for packet in packets if packet.timestamp in list(last)[-5:]), 972)
                # Each frame that came is whole but for the moment, the last ones surely.
                frames = rtpjpeg.whole_frames(packets)
                self.assertGreaterEqual(len(frames), sum(packet.marker for packet in packets) - 1)
                self.assertIn(packets[-1].timestamp, [frame.timestamp for frame in frames])
            else:
                self.assertIn("a smaller --mtu, or --mtu auto, helps", result.stderr)
                self.assertIn("left out as unreachable", result.stdout)


class RealTime(Case):
    def test_priority_and_locked_memory(self):
        process = self.stream("test:", "--size", "320x240", "--realtime", 50, "--cpu", 0, "--to", f"{E1000}:5999")
        told = machine.run("for t in /proc/$(pidof streamer)/task/*; do cat $t/comm; chrt -p ${t##*/}; taskset -p ${t##*/}; done;"
                           " grep -E 'VmLck|VmRSS' /proc/$(pidof streamer)/status").stdout
        self.stop(process)
        camera = told[told.index("camera-0"):]
        self.assertIn("SCHED_FIFO", camera)
        self.assertRegex(camera, r"priority: 50")
        self.assertRegex(camera, r"affinity mask: 1")
        locked, resident = (int(re.search(name + r":\s+(\d+)", told)[1]) for name in ("VmLck", "VmRSS"))
        self.assertGreater(locked, 0)
        # Stacks are locked as they are used, not whole.
        self.assertLess(resident, 16_000)


if __name__ == "__main__":
    unittest.main()
