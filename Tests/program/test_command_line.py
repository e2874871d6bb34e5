"""The command line as a contract: messages that say what to do, and exit statuses that scripts rely on."""

import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import unittest

import pictures
from program import ROOT, STREAMER, Run, free_port, run

TO = ("--to", "127.0.0.1:5000")


class Errors(unittest.TestCase):
    def check(self, status, words, *parts):
        result = run(*words)
        self.assertEqual(result.status, status, f"{words}: {result.err}")
        for part in parts:
            self.assertIn(part, result.err)
        self.assertIn("streamer: error: ", result.err)
        self.assertEqual(result.out, "")

    def test_usage_is_2(self):
        self.check(2, [], "no camera", "streamer --help")
        self.check(2, ["test:"], "--to HOST:PORT")
        self.check(2, ["test:", "--to", "nowhere"], "--to 'nowhere'", "no port")
        self.check(2, ["test:", "--to", "host:99999"], "--to", "'99999'")
        self.check(2, ["test:", "--to", "fe80::1:5000"], "brackets")
        self.check(2, ["test:", *TO, "--colour", "red"], "unknown option --colour")
        self.check(2, ["test:", *TO, "--fsp", "30"], "did you mean --fps?")
        self.check(2, ["test:", "--to"], "--to needs a value")
        self.check(2, ["test:", *TO, "--size", "9999x9999"], "--size 9999x9999")
        self.check(2, ["nonsense", *TO], "'nonsense'")
        self.check(2, ["test:", "test:", *TO, "--to", "127.0.0.1:5002"], "127.0.0.1:5002")
        self.check(2, ["test:", *TO, "--payload-type", "72"], "--payload-type '72'")
        self.check(2, ["test:", *TO, "--fps", "4294967295/1"], "--fps")
        self.check(2, ["test:", *TO, "--sdp", ""], "--sdp")
        self.check(2, ["sdp", "test:", *TO, "--size", "9999x9999"], "--size 9999x9999")
        self.check(2, ["test:", "test:", "--to", "127.0.0.1:65535"], "65537")

    def test_addresses_to_receive_at(self):
        self.check(2, ["receive", "[ff02::1]:5606"], "write [ff02::1%eth0]:5606")
        self.check(2, ["receive", "[fe80::1]:5606"], "write [fe80::1%eth0]:5606")
        self.check(1, ["receive", "203.0.113.9:5606"], "EADDRNOTAVAIL", "not an address of this machine")
        self.check(1, ["receive", "[fe80::1%nope0]:5606"], "'[fe80::1%nope0]'", "no interface 'nope0'")
        self.assertEqual(run("receive", "0").err.count("1 to 65535"), 1)

    def test_near_misses_are_2_and_say_what_to_write(self):
        for words, part in [
                (["help"], "streamer --help"), (["version"], "streamer --version"), (["-v"], "--version"),
                (["video0", *TO], "/dev/video0"), (["test", *TO], "test:"), (["clip.mjpeg", *TO], "file:clip.mjpeg"),
                (["test:", "--to", "rtp://127.0.0.1:5000"], "--to 127.0.0.1:5000"), (["test:", "--to", "a:1,b:1"], "--to a:1 --to b:1"),
                (["test:", *TO, *TO], "twice"), (["test:", *TO, "--to", "127.1:5000"], "the same receiver"),
                (["test:", *TO, "--port", "5000"], "--to HOST:PORT"), (["test:", *TO, "--fps", "0"], "0.001 to 10000"),
                (["test:", *TO, "--cpu", "4096"], "--cpu"), (["test:", *TO, "--json"], "'streamer list'"),
                (["receive", "5000", "--fps", "3"], "'streamer'"), (["recieve", "5000"], "streamer receive")]:
            self.check(2, words, part)

    def test_an_sdp_that_cannot_be_written_is_known_before_the_start(self):
        with tempfile.TemporaryDirectory() as home:
            for path, part in [(f"{home}/no/x", "mkdir"), (home, "EISDIR"), ("/etc/passwd/x", "ENOTDIR"), ("/proc/x", "/proc/x")]:
                result = run("/dev/video99", *TO, "--sdp", path)
                self.assertEqual(result.status, 1)
                self.assertIn("--sdp: ", result.err)
                self.assertIn(f"{path}: ", result.err)
                self.assertIn(part, result.err)
                self.assertNotIn(".streamer-", result.err)
            self.assertEqual(os.listdir(home), [])

    def test_a_name_that_is_too_long_is_known_before_the_start(self):
        """Of the file itself, of the one for a second receiver or camera, and of the whole path."""
        with tempfile.TemporaryDirectory() as home:
            long, almost, deep = f"{home}/{'x' * 300}", f"{home}/{'x' * 254}", home + "/x" * 2100
            second = ("--to", "127.0.0.1:6000")
            for option, words in [
                    *(("--sdp", ["/dev/video99", *TO, "--sdp", path]) for path in (long, deep)),
                    ("--sdp", ["/dev/video99", *TO, *second, "--sdp", almost]),
                    ("--sdp", ["/dev/video99", "/dev/video98", *TO, "--sdp", almost]),
                    *((option, ["bench", "/dev/video99", option, path]) for option in ("--html", "--times") for path in (long, deep)),
                    *(("--glass-page", ["bench", "--glass-page", path]) for path in (long, deep)),
                    *((option, ["receive", free_port(), "--seconds", 1, option, path])
                      for option in ("--out", "--times") for path in (long, deep))]:
                with self.subTest(f"{words[0]} {option}"):
                    result = run(*words)
                    self.assertEqual((result.status, result.out), (1, ""), result.err)
                    self.assertRegex(result.err, rf"error: {option}: .*\(ENAMETOOLONG\); a name has at most 255 bytes")
                    self.assertNotIn("receiving at", result.err)
            self.assertEqual(os.listdir(home), [])
            # One of 255 bytes is none.
            result = run("bench", "--glass-page", f"{almost}x")
            self.assertEqual((result.status, os.listdir(home)), (0, ["x" * 255]), result.err)

    def test_the_rest_is_1(self):
        self.check(1, ["/dev/video99", *TO], "/dev/video99", "no such device", "streamer list")
        self.check(1, ["/etc/passwd", *TO], "/etc/passwd", "no video device")
        self.check(1, ["/dev/null", *TO], "/dev/null", "no video device")
        self.check(1, ["/tmp", *TO], "/tmp", "no video device")
        self.check(1, ["file:/nowhere", *TO], "/nowhere", "ENOENT")
        self.check(1, ["file:/etc/passwd", *TO], "no JPEG")
        self.check(1, ["file:/dev/zero", *TO], "no regular file")
        with tempfile.TemporaryDirectory() as home:
            os.mkfifo(f"{home}/pipe")
            self.check(1, [f"file:{home}/pipe", *TO], "no regular file")
        # A stream waits for a name (test_network); what ends at once does not.
        self.check(1, ["sdp", "test:", "--to", "no-such-host.invalid:5000"], "no-such-host.invalid")
        self.check(1, ["test:", *TO, "--sdp", "/nowhere/a.sdp"], "/nowhere/a.sdp")

    def test_a_camera_that_cannot_start_ends_the_others(self):
        result = run("test:", "/dev/video99", *TO)
        self.assertEqual(result.status, 1)
        self.assertIn("/dev/video99", result.err)

    def test_receive(self):
        self.check(2, ["receive"], "no port")
        self.check(2, ["receive", "http"], "'http'")
        self.check(1, ["receive", "no-such-host.invalid:5000"], "no-such-host.invalid")
        self.check(1, ["receive", "5000", "--seconds", "1", "--out", "/nowhere/at/all"], "/nowhere/at/all")
        port = free_port()
        with Run("receive", port, wait_for="receiving at"):
            self.check(1, ["receive", port], "EADDRINUSE", "another port")


class Words(unittest.TestCase):
    def test_help_and_version(self):
        for words in (["--help"], ["list", "--help"], ["receive", "--help"], ["sdp", "--help"]):
            result = run(*words)
            self.assertEqual((result.status, result.err), (0, ""))
            self.assertTrue(result.out.startswith("Usage: streamer"))
            self.assertLess(max(map(len, result.out.splitlines())), 101)
        self.assertRegex(run("--version").out, r"^streamer \d+\.\d+\.\d+\n$")

    def test_a_reader_that_is_gone_is_no_crash(self):
        result = subprocess.run(f"{STREAMER} --help | head -n 1 > /dev/null; exit ${{PIPESTATUS[0]}}", shell=True,
                                executable="/bin/bash", stderr=subprocess.PIPE)
        self.assertIn(result.returncode, (0, 141))
        self.assertEqual(result.stderr, b"")

    def test_a_full_disk_is_told(self):
        for words in (["--help"], ["list"], ["sdp", "test:", *TO], ["receive", "127.0.0.1:%d" % free_port(), "--seconds", "0.1"]):
            with open("/dev/full", "w") as full:
                result = subprocess.run([STREAMER, *words], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(result.returncode, 1, words)
            self.assertIn("ENOSPC", result.stderr)

    def test_list_without_cameras(self):
        if list(pathlib.Path("/dev").glob("video*")):
            self.assertNotEqual(json.loads(run("list", "--json").out), [])
        else:
            self.assertEqual(json.loads(run("list", "--json").out), [])
            self.assertIn("no cameras found", run("list").out)


class SDP(unittest.TestCase):
    def text(self, *words):
        result = run("sdp", *words)
        self.assertEqual(result.status, 0, result.err)
        return result.out

    def test_each_receiver_has_its_own(self):
        text = self.text("test:", "--to", "127.0.0.1:5001", "--to", "[::1]:5004", "--to", "239.1.2.3:5006", "--to",
                         "localhost:5008", "--fps", "29.97", "--payload-type", 96)
        first, second, third, fourth = text.split("v=0\r\n")[1:]
        self.assertIn("c=IN IP4 127.0.0.1\r\n", first)
        self.assertIn("m=video 5001 RTP/AVP 96\r\na=rtpmap:96 JPEG/90000\r\n", first)
        self.assertIn("a=framerate:29.97\r\n", first)
        self.assertIn("o=- ", first)
        self.assertIn("c=IN IP6 ::1\r\n", second)
        self.assertIn(" IN IP6 ::1\r\n", second)
        self.assertIn("c=IN IP4 239.1.2.3/1\r\n", third)
        self.assertRegex(fourth, r"c=IN IP(4 127\.0\.0\.1|6 ::1)\r\n")

    def test_cameras_are_media(self):
        text = self.text("test:", f"file:{pictures.jpegs(320, 240, count=3, sampling='420')}", "--to", "127.0.0.1:5000")
        self.assertIn("m=video 5000 RTP/AVP 26\r\n", text)
        self.assertIn("m=video 5002 RTP/AVP 26\r\n", text)
        self.assertIn("a=framesize:26 320-240\r\n", text)

    def test_the_file_is_what_is_printed(self):
        with tempfile.TemporaryDirectory() as home:
            words = ("test:", "--to", "127.0.0.1:5000", "--to", "127.0.0.1:5002")
            with Run(*words, "--sdp", f"{home}/a.sdp", wait_for="a.sdp-2"):
                written = [pathlib.Path(home, name).read_bytes().decode() for name in ("a.sdp", "a.sdp-2")]
            self.assertEqual(sorted(os.listdir(home)), ["a.sdp", "a.sdp-2"])
        printed = self.text(*words).split("v=0\r\n")[1:]
        for one, other in zip(written, printed):
            # The session's number is its time.
            self.assertEqual(one.splitlines()[2:], ("v=0\r\n" + other).splitlines()[2:])


    def test_several_cameras_have_one_each_as_well(self):
        with tempfile.TemporaryDirectory() as home:
            words = ("test:", "test:", "--size", "64x64", "--to", "127.0.0.1:5000", "--to", "127.0.0.1:6000")
            with Run(*words, "--sdp", f"{home}/a.sdp", wait_for="a.sdp-2"):
                texts = {name: pathlib.Path(home, name).read_bytes().decode() for name in os.listdir(home)}
        self.assertEqual(set(texts), {"a.sdp", "a.sdp-2", "a-camera0.sdp", "a-camera0.sdp-2", "a-camera1.sdp", "a-camera1.sdp-2"})
        ports = {name: re.findall("m=video ([0-9]+)", text) for name, text in texts.items()}
        self.assertEqual((ports["a.sdp"], ports["a-camera0.sdp"], ports["a-camera1.sdp-2"]), (["5000", "5002"], ["5000"], ["6002"]))
        self.assertNotIn("a=mid", texts["a-camera1.sdp"])

    def test_what_is_no_file_gets_all_under_its_one_name(self):
        """A pipe has no neighbours: nothing is made next to /dev/stdout."""
        with tempfile.TemporaryDirectory() as home:
            pipe = pathlib.Path(home, "pipe.sdp")
            os.mkfifo(pipe)
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            self.addCleanup(os.close, reader)
            with Run("test:", "test:", "--size", "64x64", "--to", "127.0.0.1:5000", "--to", "127.0.0.1:6000", "--sdp", pipe):
                end, text = time.monotonic() + 5, b""
                while time.monotonic() < end and text.count(b"v=0") < 2:
                    try:
                        text += os.read(reader, 1 << 16)
                    except BlockingIOError:
                        pass
                    time.sleep(0.05)
                self.assertEqual(os.listdir(home), ["pipe.sdp"])
        self.assertEqual(re.findall(b"m=video ([0-9]+)", text), [b"5000", b"5002", b"6000", b"6002"])

    def test_it_does_not_make_the_stream_a_back_channel(self):
        """go2rtc takes a stream with a=sendonly for one to the camera."""
        self.assertNotIn("sendonly", self.text("test:", "--to", "127.0.0.1:5000"))


class Watching(unittest.TestCase):
    """The line that tells how to watch a stream is one to paste."""

    def command(self, words, to):
        with tempfile.TemporaryDirectory() as home:
            with Run("test:", "--fps", 10, *words, "--to", to, "--sdp", f"{home}/a.sdp", wait_for="with: ") as sender:
                line = next(line for line in Run.text(sender.err_file).splitlines() if "with: " in line)
                command = line.split("with: ")[1].split(" (copy")[0]
                # What has a screen is told to go without.
                command = command.replace("autovideosink", "fakesink num-buffers=5")
                if command.startswith("ffplay"):
                    command = command.replace("ffplay", "ffmpeg -v error", 1) + " -frames:v 5 -f null -"
                    if "-i " not in command:
                        command = command.replace("rtp://", "-i rtp://")
                result = subprocess.run(command, shell=True, timeout=40, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, f"{command}: {result.stderr}")
        return line

    def test_each_is_tried(self):
        port = free_port()
        for words, to in [([], f"127.0.0.1:{port}"), ([], f"[::1]:{port}"), ([], f"239.255.1.2:{port}"),
                          (["--payload-type", 96], f"127.0.0.1:{port}"), (["--rtcp-mux"], f"127.0.0.1:{port}"),
                          (["--size", "2048x1024"], f"127.0.0.1:{port}"), (["--size", "1024x2048"], f"[::1]:{port}")]:
            with self.subTest(f"{words} {to}"):
                self.command(words, to)

    def test_ffplay_itself_needs_no_sdp(self):
        port = free_port()
        with Run("test:", "--size", "320x240", "--to", f"127.0.0.1:{port}", wait_for=f"with: ffplay rtp://0.0.0.0:{port}\n"):
            player = subprocess.Popen(["ffplay", "-v", "error", "-stats", f"rtp://0.0.0.0:{port}"], stderr=subprocess.PIPE,
                                      env={**os.environ, "SDL_VIDEODRIVER": "dummy"}, stdin=subprocess.DEVNULL)
            time.sleep(4)
            player.terminate()
            text = player.communicate(timeout=10)[1].decode()
        # What it prints while it shows pictures.
        self.assertRegex(text, r"M-V: .* fd= ")

    def test_a_size_that_is_no_multiple_of_8_is_shown_larger(self):
        with Run("test:", "--size", "1600x900", "--to", "127.0.0.1:9", wait_for="with: ") as sender:
            time.sleep(1.5)
        self.assertEqual(sender.err.count("players show 1600x904"), 1, sender.err)
        with Run("test:", "--size", "1920x1080", "--to", "127.0.0.1:9", wait_for="with: ") as sender:
            pass
        self.assertNotIn("players show", sender.err)


class Demo(unittest.TestCase):
    def test_the_readmes_first_command_shows_whole_frames(self):
        (ROOT / "out/demo").mkdir(parents=True, exist_ok=True)
        result = subprocess.run([ROOT / "scripts/demo", "test:"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={**os.environ, "SECONDS_TO_STREAM": "3", "PORT": str(free_port())})
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("demo: every frame arrived whole, and decodes", result.stdout)

    def test_where_its_port_is_taken_it_says_only_that(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            for camera in (["test:"], []):
                result = subprocess.run([ROOT / "scripts/demo", *camera], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, env={**os.environ, "PORT": str(port)})
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stdout, rf"\Ademo: port {port} is taken by another program.*PORT=\d+.*\n\Z")

    def test_it_says_how_much_it_downloads_and_shows_progress(self):
        """With a package manager that is none: it lacks two packages, of 1.2 and 300.5 MB."""
        with tempfile.TemporaryDirectory() as home:
            tools = {
                "dpkg-query": 'case "$*" in *g++|*python3) echo not-installed;; *) echo installed;; esac',
                "apt-cache": "exit 0", "swift": "exit 0", "id": "echo 0",
                "apt-get": """case "$*" in
                    *--print-uris*) echo "'http://deb/a.deb' a.deb 1200000 SHA256:1"; echo "'http://deb/b.deb' b.deb 300500000 SHA256:2";;
                    *install*) echo "Get:1 http://deb a"; echo "$*" > "$HOME/installed";;
                    esac"""}
            for name, script in tools.items():
                path = pathlib.Path(home, name)
                path.write_text(f"#!/bin/sh\n{script}\n")
                path.chmod(0o755)
            result = subprocess.run([ROOT / "scripts/deps", "build", "test"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True, env={"PATH": f"{home}:/usr/bin:/bin", "HOME": home})
            self.assertEqual(result.returncode, 0, result.stdout)
            self.assertIn("deps: installing them: 302 MB to download\n", result.stdout)
            self.assertIn("Get:1 http://deb a", result.stdout)
            self.assertLess(result.stdout.index("302 MB"), result.stdout.index("Get:1"))
            self.assertRegex(pathlib.Path(home, "installed").read_text(), r"g\+\+ python3$")


if __name__ == "__main__":
    unittest.main()
