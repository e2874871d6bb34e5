"""Streams that outlive changes of the network: addresses, links, interfaces, routes and names come and go in network
namespaces, while a second receiver, on a wire of its own, must miss nothing."""

import ctypes
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import rtpjpeg
from program import Run
from test_counting import Space

LIBC = ctypes.CDLL(None, use_errno=True)
UDP_GRO, SO_RCVBUFFORCE = 104, 33
# The figure is 2 s; a busy machine gets more. What went wrong for good lasts longer than any.
QUICK = 8
WORDS = ("test:", "--size", "640x480", "--fps", 50, "--stats", 0.5)


class inside:
    """A `with` block in another network namespace: sockets that it makes stay there."""

    def __init__(self, space):
        self.space = space

    def __enter__(self):
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.enter(os.open(f"/run/netns/{self.space.name}", os.O_RDONLY))

    def __exit__(self, *_):
        self.enter(self.before)

    @staticmethod
    def enter(file):
        if LIBC.setns(file, 0):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(file)


class Listener:
    """RTP and RTCP at one port, taken by a thread all the time. Knows which packets the kernel got in groups (UDP GSO)."""

    def __init__(self, test, space, host, port, group=None):
        self.packets, self.reports, self.lock = [], [], threading.Lock()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with inside(space):
            self.sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
            for number, each in enumerate(self.sockets):
                each.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
                each.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
                if family == socket.AF_INET6:
                    each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                each.bind((host, port + number))
                if group:
                    self.join(each, group, socket.if_nametoindex("wire"))
                each.settimeout(0.1)
        self.running = True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        test.addCleanup(self.stop)

    @staticmethod
    def join(each, group, index):
        if ":" in group:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index))
        else:
            each.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + struct.pack("=4si", b"", index))

    def run(self):
        other = threading.Thread(target=self.take, args=(self.sockets[1], self.reports))
        other.start()
        self.take(self.sockets[0], self.packets)
        other.join()

    def take(self, each, into):
        while self.running:
            try:
                data, control, _, source = each.recvmsg(65536, 64)
            except (TimeoutError, ConnectionRefusedError):
                continue
            now = time.monotonic()
            size = next((struct.unpack("=i", value)[0] for _, kind, value in control if kind == UDP_GRO), len(data))
            with self.lock:
                into += [(now, data[at:at + size], source[:2], len(data) > size) for at in range(0, len(data), size)]

    def stop(self):
        self.running = False
        self.thread.join()
        for each in self.sockets:
            each.close()

    def all(self, since=0.0):
        with self.lock:
            return [packet for packet in self.packets if packet[0] >= since]

    def wait(self, what, seconds=QUICK, since=None):
        """Until a packet that came from now on is as it should be; the seconds that took."""
        start = since or time.monotonic()
        while time.monotonic() < start + seconds:
            if found := next((packet for packet in self.all(start) if what(packet)), None):
                return found[0] - start
            time.sleep(0.01)
        raise AssertionError(f"no such packet within {seconds} s; of {len(self.all())}, the last: {[(p[2], p[3]) for p in self.all()[-2:]]}")


def any_packet(_):
    return True


def grouped(packet):
    """UDP GSO is on."""
    return packet[3]


def source(host):
    return lambda packet: packet[2][0].partition("%")[0] == host


class Changes(unittest.TestCase):
    """10.7.7.1 and fd77::1 stream over a wire to 10.7.7.2 and fd77::2, and 10.8.8.1 over another one to 10.8.8.2."""

    def setUp(self):
        self.one, self.other = Space(self, "net-1"), Space(self, "net-2")
        self.wire("calm", 8)
        self.wire("wire", 7)
        self.calm, self.calm_address = Listener(self, self.other, "10.8.8.2", 5000), "10.8.8.2:5000"

    def wire(self, name, number):
        self.one.ip("link", "add", name, "type", "veth", "peer", "name", name, "netns", self.other.name)
        for end, space in enumerate((self.one, self.other), 1):
            self.address(space, f"10.{number}.{number}.{end}/24", name)
            self.address(space, f"fd7{number}::{end}/64", name)
            space.ip("link", "set", name, "up")

    @staticmethod
    def address(space, address, device):
        space.ip("addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))

    def stream(self, *words, to, within=(), wait_for="watch it"):
        for each in to if isinstance(to, list) else [to]:
            words += ("--to", each)
        sender = Run(*WORDS, "--to", self.calm_address, *words, within=("ip", "netns", "exec", self.one.name, *within),
                     wait_for=wait_for)
        self.addCleanup(lambda: sender.out_file.closed or sender.__exit__())
        return sender

    def end(self, sender, outages=1):
        """The other receiver has every packet, and what was lost was said, and so was its end."""
        self.calm.wait(lambda _: len(self.calm.all()) > 500)
        sender.__exit__()
        packets = [rtpjpeg.parse(data, at) for at, data, *_ in self.calm.all()]
        self.assertGreater(len(rtpjpeg.frames(packets)), 20)
        text = sender.err
        self.assertNotIn(f"{self.calm_address} are lost", text)
        self.assertGreaterEqual(text.count("are sent again"), outages, text)
        self.assertNotIn("takes no segmented sends", text)
        return text

    def check(self, listener, seconds, sequence=True):
        """Says how long it took; the packets on both sides of the outage are of one stream, by their own numbers."""
        print(f"{self.id()}: {seconds:.2f} s")
        packets = [rtpjpeg.parse(data, at) for at, data, *_ in listener.all()]
        self.assertEqual(len({packet.ssrc for packet in packets}), 1)
        # RTP and RTCP keep their ports.
        self.assertEqual(len({packet[2][1] for packet in listener.all()}), 1)
        self.assertLessEqual(len({packet[2][1] for packet in listener.reports}), 1)
        return packets

    # Addresses.

    def test_an_ipv4_address_changes(self):
        listener = Listener(self, self.other, "10.7.7.2", 5000)
        sender = self.stream(to="10.7.7.2:5000")
        listener.wait(grouped)
        for old, new in (("10.7.7.1", "10.7.7.3"), ("10.7.7.3", "10.7.7.4")):
            self.one.ip("addr", "del", f"{old}/24", "dev", "wire")
            time.sleep(1)
            self.address(self.one, f"{new}/24", "wire")
            start = time.monotonic()
            seconds = listener.wait(source(new))
            listener.wait(lambda p: source(new)(p) and grouped(p))
            self.check(listener, seconds)
            # Its end is logged when it is noticed: within two seconds.
            sender.wait_for(f"from {new}; they were lost for")
        self.end(sender, outages=2)

    def test_a_better_ipv4_address_comes_after_a_provisional_one(self):
        self.one.ip("addr", "del", "10.7.7.1/24", "dev", "wire")
        self.address(self.one, "169.254.3.4/16", "wire")
        self.one.ip("route", "add", "10.7.0.0/16", "dev", "wire")
        self.other.ip("route", "add", "169.254.0.0/16", "dev", "wire")
        listener = Listener(self, self.other, "10.7.7.2", 5000)
        sender = self.stream(to="10.7.7.2:5000")
        listener.wait(source("169.254.3.4"))
        self.address(self.one, "10.7.7.3/24", "wire")
        self.check(listener, listener.wait(source("10.7.7.3")))
        self.end(sender, outages=0)

    def test_an_ipv6_address_changes(self):
        listener = Listener(self, self.other, "fd77::2", 5000)
        sender = self.stream(to="[fd77::2]:5000")
        listener.wait(grouped)
        self.one.ip("addr", "del", "fd77::1/64", "dev", "wire")
        time.sleep(1)
        # Nothing goes on from the address that is gone.
        self.assertEqual([p for p in listener.all(time.monotonic() - 0.4) if source("fd77::1")(p)], [])
        self.one.ip("addr", "add", "fd77::3/64", "dev", "wire")         # with duplicate address detection
        while "tentative" in subprocess.run(["ip", "-n", self.one.name, "-6", "addr", "show", "dev", "wire"],
                                            capture_output=True, text=True, check=True).stdout:
            time.sleep(0.02)
        self.check(listener, listener.wait(source("fd77::3")))
        listener.wait(lambda p: source("fd77::3")(p) and grouped(p))
        self.end(sender, outages=0)

    # Links.

    def test_a_link_goes_down_and_up(self):
        listener = Listener(self, self.other, "10.7.7.2", 5000)
        sender = self.stream(to="10.7.7.2:5000")
        listener.wait(grouped)
        for _ in range(2):
            self.one.ip("link", "set", "wire", "down")
            time.sleep(1)
            self.one.ip("link", "set", "wire", "up")
            self.check(listener, listener.wait(any_packet))
            listener.wait(grouped)
            time.sleep(2)
        self.end(sender, outages=2)

    def remade(self, address, listener, *words):
        """Streams by usb0, a device on the wire that is deleted and made again, twice; the wire has no address itself."""
        for each in ("10.7.7.1/24", "fd77::1/64"):
            self.one.ip("addr", "del", each, "dev", "wire")

        def make():
            self.one.ip("link", "add", "link", "wire", "name", "usb0", "address", "02:00:00:00:00:09", "type", "macvlan", "mode", "bridge")
            for each in ("10.7.7.9/24", "fd77::9/64"):
                self.address(self.one, each, "usb0")
            self.one.ip("link", "set", "usb0", "up")
            if "%" not in address and "--interface" not in words:
                self.one.ip("route", "replace", "224.0.0.0/4", "dev", "usb0")

        make()
        if "--interface" in words:
            # All other receivers' packets leave by it, too, but for those on this machine.
            self.calm, self.calm_address = Listener(self, self.one, "127.0.0.1", 5000), "127.0.0.1:5000"
        if "%" in address:
            time.sleep(2)           # duplicate address detection of its link-local address
        sender = self.stream(*words, to=address)
        listener.wait(grouped)
        for _ in range(2):
            self.one.ip("link", "del", "usb0")
            time.sleep(1)
            make()
            self.check(listener, listener.wait(any_packet))
            listener.wait(grouped)
            # Packets are as large as the path takes, not as a dead one's.
            self.assertGreater(max(len(data) for _, data, *_ in listener.all(time.monotonic() - 0.5)), 1300)
            time.sleep(2)
        return self.end(sender, outages=2)

    def test_an_interface_is_made_again(self):
        self.remade("10.7.7.2:5000", Listener(self, self.other, "10.7.7.2", 5000))

    def test_an_interface_that_was_asked_for_is_made_again(self):
        self.remade("10.7.7.2:5000", Listener(self, self.other, "10.7.7.2", 5000), "--interface", "usb0")

    def test_an_interface_that_was_asked_for_is_made_again_ipv6(self):
        self.remade("[fd77::2]:5000", Listener(self, self.other, "fd77::2", 5000), "--interface", "usb0")

    def link_local(self):
        text = subprocess.run(["ip", "-n", self.other.name, "-6", "addr", "show", "dev", "wire"], capture_output=True, text=True,
                              check=True).stdout
        return re.search(r"fe80::[0-9a-f:]+", text)[0]

    def test_the_interface_of_a_link_local_address_is_made_again(self):
        time.sleep(2)               # duplicate address detection of the receiver
        self.remade(f"[{self.link_local()}%usb0]:5000", Listener(self, self.other, "::", 5000))

    def test_multicast_with_an_interface(self):
        self.remade("239.7.7.7:5000", Listener(self, self.other, "239.7.7.7", 5000, group="239.7.7.7"), "--interface", "usb0")

    def test_multicast_by_route(self):
        self.remade("239.7.7.7:5000", Listener(self, self.other, "239.7.7.7", 5000, group="239.7.7.7"))

    def test_multicast_ipv6_with_an_interface(self):
        self.remade("[ff15::7]:5000", Listener(self, self.other, "ff15::7", 5000, group="ff15::7"), "--interface", "usb0")

    def test_a_link_local_group_with_an_interface(self):
        self.remade("[ff02::7]:5000", Listener(self, self.other, "::", 5000, group="ff02::7"), "--interface", "usb0")

    # Routes.

    def test_a_moments_blackhole_leaves_gso_on(self):
        listener = Listener(self, self.other, "10.7.7.2", 5000)
        sender = self.stream(to="10.7.7.2:5000")
        listener.wait(grouped)
        for kind in ("blackhole", "prohibit", "unreachable"):
            self.one.ip("route", "add", kind, "10.7.7.2")
            time.sleep(1)
            self.one.ip("route", "del", kind, "10.7.7.2")
            self.check(listener, listener.wait(grouped))
            sender.wait_for("are sent again", 10)
            time.sleep(1)
        self.end(sender)

    # Not there at the start.

    def test_a_network_that_comes_later(self):
        self.one.ip("addr", "del", "10.7.7.1/24", "dev", "wire")
        for kind in (None, "blackhole", "prohibit"):
            with self.subTest(kind):
                listener = Listener(self, self.other, "10.7.7.2", 5000)
                if kind:
                    self.one.ip("route", "add", kind, "10.7.7.2")
                sender = self.stream(to="10.7.7.2:5000", wait_for="packets to 10.7.7.2:5000 are lost")
                time.sleep(1)
                if kind:
                    self.one.ip("route", "del", kind, "10.7.7.2")
                self.address(self.one, "10.7.7.3/24", "wire")
                self.check(listener, listener.wait(grouped))
                sender.wait_for("are sent again")
                text = self.end(sender)
                self.assertEqual(text.count("are lost"), 1, text)
                listener.stop()
                self.calm.stop()
                self.calm = Listener(self, self.other, "10.8.8.2", 5000)
                self.one.ip("addr", "del", "10.7.7.3/24", "dev", "wire")

    def test_an_interface_that_comes_later(self):
        time.sleep(2)               # duplicate address detection of the receiver
        link_local = self.link_local()
        for address, words in (("10.7.7.2:5000", ("--interface", "usb0")), ("239.7.7.7:5000", ("--interface", "usb0")),
                               (f"[{link_local}%usb0]:5000", ())):
            with self.subTest(address):
                group = "239.7.7.7" if "239" in address else None
                listener = Listener(self, self.other, group or ("::" if "[" in address else "10.7.7.2"), 5000, group=group)
                # The other receiver's packets would have to leave by usb0, too.
                command = [*WORDS, "--to", address, *words]
                with Run(*command, within=("ip", "netns", "exec", self.one.name),
                         wait_for="can't find the host" if "%" in address else "ENODEV") as sender:
                    time.sleep(1)
                    self.one.ip("link", "add", "link", "wire", "name", "usb0", "type", "macvlan", "mode", "bridge")
                    self.address(self.one, "10.7.7.9/24", "usb0")
                    self.one.ip("link", "set", "usb0", "up")
                    print(f"{self.id()} {address}: {listener.wait(grouped):.2f} s")
                self.assertEqual(sender.err.count("ENODEV") + sender.err.count("can't find the host"), 1, sender.err)
                self.assertEqual(sender.status, 0)
                listener.stop()
                self.one.ip("link", "del", "usb0")

    # Names.

    def hosts(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".hosts")
        self.addCleanup(file.close)
        self.write(file, text)
        return file, ("unshare", "-m", "--propagation", "private", "sh", "-c", f'mount --bind {file.name} /etc/hosts && exec "$@"', "sh")

    @staticmethod
    def write(file, text):
        file.seek(0)
        file.truncate()
        file.write(text)
        file.flush()

    def test_a_name_that_resolves_after_five_seconds(self):
        file, within = self.hosts("127.0.0.1 localhost\n")
        listener = Listener(self, self.other, "10.7.7.2", 5000)
        sender = self.stream(to="viewer.test:5000", within=within, wait_for="can't find the host 'viewer.test'")
        # The other receiver is sent the stream meanwhile.
        self.calm.wait(grouped)
        time.sleep(5)
        self.write(file, "10.7.7.2 viewer.test\n")
        self.check(listener, listener.wait(grouped))
        text = self.end(sender, outages=0)
        self.assertEqual(text.count("can't find the host"), 1)
        self.assertIn("viewer.test is found: the stream goes to 10.7.7.2:5000", text)

    def test_a_name_that_moves(self):
        """Looked up again when sends fail for a while."""
        file, within = self.hosts("10.7.7.8 viewer.test\n")
        listener = Listener(self, self.other, "10.7.7.2", 5000)
        sender = self.stream(to="viewer.test:5000", within=within, wait_for="EHOSTUNREACH")
        self.write(file, "10.7.7.2 viewer.test\n")
        self.check(listener, listener.wait(grouped, seconds=40))
        self.end(sender, outages=0)

    def test_a_look_up_does_not_delay_a_stop(self):
        """A name server that never answers."""
        file, _ = self.hosts("nameserver 10.7.7.2\n")
        with inside(self.other):
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind(("10.7.7.2", 53))
        self.addCleanup(server.close)
        within = ("unshare", "-m", "--propagation", "private", "sh", "-c", f'mount --bind {file.name} /etc/resolv.conf && exec "$@"', "sh")
        for pause in (0.5, 3):
            with self.subTest(pause):
                with Run(*WORDS, "--to", "viewer.test:5000", within=("ip", "netns", "exec", self.one.name, *within)) as sender:
                    time.sleep(pause)
                    self.assertLess(sender.stop(), 1)
                self.assertEqual(sender.status, 0, sender.err)


if __name__ == "__main__":
    unittest.main()
