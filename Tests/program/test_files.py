"""Where the program writes: through links, into pipes and onto full disks, and what it reads of a folder."""

import concurrent.futures
import contextlib
import fcntl
import json
import os
import pathlib
import shlex
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest

import pictures
from program import STREAMER, Run, free_port, run

TO = ("--to", "127.0.0.1:9")


def on_a_full_disk(folder):
    """A command's beginning: `folder` has a disk of its own, which has no room."""
    folder = shlex.quote(str(folder))
    return ["unshare", "--map-root-user", "--mount", "sh", "-c",
            f"mount -t tmpfs -o size=64k tmpfs {folder} && head -c 1000000 /dev/zero > {folder}/fill 2> /dev/null;"
            ' exec "$0" "$@"']


class Ended:
    """A program that was started, ended and read."""

    def __init__(self, command, stop_after=None, stdout=subprocess.PIPE, number=signal.SIGTERM, limit=10):
        process = subprocess.Popen(list(map(str, command)), stdout=stdout, stderr=subprocess.PIPE, text=True)
        start = time.monotonic()
        try:
            try:
                self.out, self.err = process.communicate(timeout=limit if stop_after is None else stop_after)
            except subprocess.TimeoutExpired:
                if stop_after is None:
                    raise
                process.send_signal(number)
                start = time.monotonic()
                self.out, self.err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            self.out, self.err = process.communicate()
            raise AssertionError(f"{command} did not end: {self.err}") from None
        # Since it was told to stop, or since its start.
        self.seconds = time.monotonic() - start
        self.status = process.returncode


def together(function, cases):
    """What a function that mostly waits gives for each, all at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        return list(pool.map(function, cases))


def writing(path, **options):
    """All that write a file, at the same time: [(option, Ended)]."""
    cases = writers(path)
    return zip(cases, together(lambda name: Ended([STREAMER, *cases[name][0]], **options), cases))


@contextlib.contextmanager
def sender(port):
    with Run("test:", "--size", "64x64", "--to", f"127.0.0.1:{port}", wait_for="test: a built-in"):
        yield


def writers(path):
    """Each option that writes a file: the program's words, and whether it ends on its own."""
    return {
        "--sdp": (["test:", "--size", "64x64", *TO, "--sdp", path], False),
        "bench --html": (["bench", "test:", "--size", "64x64", "--frames", 2, "--warm-up", 0, "--html", path], True),
        "bench --times": (["bench", "test:", "--size", "64x64", "--frames", 2, "--warm-up", 0, "--times", path], True),
        "bench --glass-page": (["bench", "--glass-page", path], True),
        "receive --times": (["receive", f"127.0.0.1:{free_port()}", "--seconds", 0.3, "--times", path], True),
    }


BEGINNINGS = {"--sdp": "v=0", "bench --html": "<!DOCTYPE", "bench --times": "sequence,", "bench --glass-page": "<!DOCTYPE",
              "receive --times": "frame,"}


# Nobody sends to it.
STATUS = {"receive --times": 1}


class Links(unittest.TestCase):
    def each(self, path):
        for name, (words, ends) in writers(path).items():
            with self.subTest(name):
                yield name, Ended([STREAMER, *words], stop_after=None if ends else 0.7)

    def test_a_link_to_a_file_stays_one(self):
        with tempfile.TemporaryDirectory() as home:
            home = pathlib.Path(home)
            (home / "elsewhere").mkdir()
            (home / "link").symlink_to("elsewhere/file")
            for there in (True, False):
                for name, ended in self.each(home / "link"):
                    self.assertEqual(ended.status, STATUS.get(name, 0), ended.err)
                    self.assertTrue((home / "link").is_symlink(), name)
                    self.assertTrue((home / "elsewhere/file").read_text().startswith(BEGINNINGS[name]))
                    self.assertEqual(sorted(os.listdir(home)), ["elsewhere", "link"])
                    self.assertEqual(os.listdir(home / "elsewhere"), ["file"])
                    if there:
                        (home / "elsewhere/file").write_text("x" * 1_000_000)
                    else:
                        (home / "elsewhere/file").unlink()

    def test_a_link_to_standard_output_stays_one(self):
        """As /dev/stdout is: by a chain of links."""
        with tempfile.TemporaryDirectory() as home:
            home = pathlib.Path(home)
            (home / "one").symlink_to("/proc/self/fd/1")
            (home / "stdout").symlink_to("one")
            for name, ended in self.each(home / "stdout"):
                self.assertEqual(ended.status, STATUS.get(name, 0), ended.err)
                self.assertIn(BEGINNINGS[name], ended.out)
                self.assertEqual(os.readlink(home / "stdout"), "one")

    def test_the_machines_own_standard_output_stays_a_link(self):
        """In a /dev of its own."""
        with tempfile.TemporaryDirectory() as home:
            script = (f"mount -t tmpfs tmpfs {home} && cp -a /dev/null /dev/zero /dev/urandom {home} 2> /dev/null;"
                      f" ln -s /proc/self/fd/1 {home}/stdout && mount --bind {home} /dev &&"
                      f" timeout -s TERM 1 {STREAMER} test: --size 64x64 {' '.join(TO)} --sdp /dev/stdout;"
                      " readlink /dev/stdout; ls -A /dev")
            out = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", script], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn("m=video 9 RTP/AVP 26", out)
        self.assertIn("\n/proc/self/fd/1\n", out)
        self.assertNotIn(".streamer-", out)

    def test_nothing_is_put_in_place_of_a_device_a_pipe_or_a_socket(self):
        with tempfile.TemporaryDirectory() as home:
            home = pathlib.Path(home)
            os.mkfifo(home / "pipe")
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(home / "socket"))
            (home / "null").symlink_to("/dev/null")
            (home / "folder").mkdir()
            kinds = {"pipe": stat.S_ISFIFO, "socket": stat.S_ISSOCK, "folder": stat.S_ISDIR, "null": stat.S_ISLNK}
            for kind, check in kinds.items():
                for name, ended in writing(home / kind, stop_after=0.7):
                    with self.subTest(f"{name} {kind}"):
                        self.assertTrue(check(os.lstat(home / kind).st_mode), name)
                        self.assertIn(ended.status, (0, 1))
                        if kind in ("socket", "folder"):
                            self.assertEqual(ended.status, 1)
                            self.assertIn(f"{home / kind}", ended.err)
            listener.close()
            self.assertEqual(sorted(os.listdir(home)), sorted(kinds))

    def test_others_files_are_not_written_to(self):
        """Names that an earlier program used for what was not whole yet, as links to what must stay."""
        with tempfile.TemporaryDirectory() as home:
            home = pathlib.Path(home)
            (home / "precious").write_text("precious")
            for suffix in (".part", ".tmp", "~"):
                (home / f"file{suffix}").symlink_to("precious")
            for name, ended in self.each(home / "file"):
                self.assertEqual(ended.status, STATUS.get(name, 0), ended.err)
                self.assertTrue((home / "file").read_text().startswith(BEGINNINGS[name]))
                self.assertEqual((home / "precious").read_text(), "precious")

    def test_a_file_that_only_can_be_written_in_place_is(self):
        """A mount, as a container has it; a folder that takes no new file."""
        for prepare in ("mount --bind {home}/other {home}/file", "mount --bind {home} {home}; mount -o remount,bind,ro {home};"
                        " mount --bind {home}/other {home}/file"):
            with self.subTest(prepare), tempfile.TemporaryDirectory() as home:
                for name in ("file", "other"):
                    pathlib.Path(home, name).write_text("before")
                command = f"{prepare.format(home=home)}; exec {STREAMER} bench --glass-page {home}/file"
                result = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", command],
                                        stderr=subprocess.PIPE, text=True)
                if "remount" in prepare:
                    self.assertEqual(result.returncode, 1)
                    self.assertIn(f"{home}/file", result.stderr)
                    self.assertIn("EROFS", result.stderr)
                    continue
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertTrue(pathlib.Path(home, "other").read_text().startswith("<!DOCTYPE"))
                self.assertEqual(sorted(os.listdir(home)), ["file", "other"])


class Options(unittest.TestCase):
    def test_each_names_itself_and_what_to_do(self):
        with tempfile.TemporaryDirectory() as home:
            pathlib.Path(home, "file").write_text("")
            places = [(f"{home}/nope/x", "mkdir"), (f"{home}/file/x", "name a folder"), (home, "name a file")]
            cases = [(*each, place, remedy) for place, remedy in places
                     for each in ((name, words) for name, (words, _) in writers(place).items())]
            out = ["receive", f"127.0.0.1:{free_port()}", "--seconds", 0.3, "--out"]
            cases += [("receive --out", [*out, place], place, remedy)
                      for place, remedy in [*places[:2], (f"{home}/file", "it is a file: name a folder")]]
            for name, words, place, remedy in cases:
                with self.subTest(name, place=place):
                    ended = Ended([STREAMER, *words], limit=2)
                    self.assertEqual(ended.status, 1)
                    line = ended.err.strip().splitlines()[-1]
                    self.assertRegex(line, rf"^streamer: error: {name.split()[-1]}: \w+ on {place}.*{remedy}")

    def test_an_argument_that_is_not_utf8_is_an_error(self):
        """Another name would take its place."""
        with tempfile.TemporaryDirectory() as home:
            name = f"{home}/s\udcff.x"
            cases = [words for words, _ in writers(name).values()]
            cases += [[f"file:{name}", "--to", "127.0.0.1:5000"], ["receive", "5000", f"--out={name}"], ["list", "\udcff"],
                      ["bench", "test:", "--compare", name], ["test:", "--to", "127.0.0.1:5000", "--set", "a\udcff=1"]]
            for words in cases:
                with self.subTest(words):
                    result = run(*words)
                    self.assertEqual(result.status, 2)
                    self.assertRegex(result.err, r"^streamer: error: the argument \$'.*\\xff.*' is not valid UTF-8.*rename")
            self.assertEqual(os.listdir(home), [])

    def test_a_folder_of_which_nothing_can_be_made_names_no_mkdir(self):
        cases = [words for words, _ in writers("/proc/x").values()]
        for words in [*cases, ["receive", free_port(), "--out", "/proc"], ["receive", free_port(), "--out", "/proc/x"]]:
            with self.subTest(words):
                ended = Ended([STREAMER, *words], limit=5)
                self.assertEqual(ended.status, 1)
                self.assertIn("takes no new files", ended.err)
                self.assertNotIn("mkdir'", ended.err)

    def test_a_folder_that_takes_no_files_is_found_at_the_start(self):
        with tempfile.TemporaryDirectory() as home:
            command = f"mount --bind {home} {home}; mount -o remount,bind,ro {home}; exec {STREAMER} receive" \
                f" 127.0.0.1:{free_port()} --out {home}"
            ended = Ended(["unshare", "--map-root-user", "--mount", "sh", "-c", command], limit=5)
        self.assertEqual(ended.status, 1)
        self.assertRegex(ended.err, rf"^streamer: error: --out: open on {home}.*EROFS.*name another place")
        self.assertNotIn("receiving at", ended.err)

    def test_what_is_replaced_keeps_owner_and_mode(self):
        with tempfile.TemporaryDirectory() as home:
            path = pathlib.Path(home, "file")
            for name, (words, ends) in writers(path).items():
                with self.subTest(name):
                    path.write_text("x" * 1_000_000)
                    path.chmod(0o620)
                    if os.geteuid() == 0:
                        os.chown(path, 1234, 1235)
                    before = path.stat()
                    Ended([STREAMER, *words], stop_after=None if ends else 0.7)
                    after = path.stat()
                    self.assertTrue(path.read_text().startswith(BEGINNINGS[name]))
                    self.assertEqual([after.st_uid, after.st_gid, after.st_mode], [before.st_uid, before.st_gid, before.st_mode])
                    path.unlink()

    def test_another_name_of_the_file_stays_one(self):
        with tempfile.TemporaryDirectory() as home:
            path = pathlib.Path(home, "file")
            for name, (words, ends) in writers(path).items():
                with self.subTest(name):
                    path.write_text("x" * 1_000_000)
                    other = pathlib.Path(home, "other")
                    other.hardlink_to(path)
                    Ended([STREAMER, *words], stop_after=None if ends else 0.7)
                    self.assertTrue(other.samefile(path))
                    self.assertTrue(other.read_text().startswith(BEGINNINGS[name]))
                    self.assertEqual(sorted(os.listdir(home)), ["file", "other"])
                    other.unlink()


class StandardOutput(unittest.TestCase):
    def test_a_full_disk_is_reported(self):
        commands = (["test:", "--size", "64x64", *TO], ["test:", "--size", "64x64", "--stats", 0.1, *TO],
                    ["bench", "test:", "--size", "64x64", "--frames", 2, "--warm-up", 0], ["sdp", "test:", *TO], ["list"],
                    ["receive", f"127.0.0.1:{free_port()}"], ["--help"])
        for words in commands:
            with self.subTest(words), open("/dev/full", "w") as full:
                ended = Ended([STREAMER, *words], stop_after=0.7, stdout=full)
                self.assertEqual(ended.status, 1, ended.err)
                self.assertEqual(ended.err.count("error: standard output: "), 1, ended.err)
                self.assertIn("ENOSPC", ended.err)


class Pipes(unittest.TestCase):
    def test_without_a_reader_a_signal_ends_it(self):
        with tempfile.TemporaryDirectory() as home:
            os.mkfifo(f"{home}/pipe")
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                for name, ended in writing(f"{home}/pipe", stop_after=1, number=number):
                    with self.subTest(f"{name} {number}"):
                        self.assertLess(ended.seconds, 2.5)
                        self.assertIn(f"{home}/pipe", ended.err)
                        self.assertIn("nobody reads it", ended.err)
                        self.assertEqual(ended.status, 0 if name == "--sdp" else 1)
                        if "bench" in name and "glass" not in name:
                            self.assertIn("microseconds", ended.out)

    def test_a_reader_that_comes_later_gets_it_all(self):
        with tempfile.TemporaryDirectory() as home:
            os.mkfifo(f"{home}/pipe")
            for name, (words, _) in writers(f"{home}/pipe").items():
                with self.subTest(name):
                    found = []

                    def read():
                        time.sleep(0.8)
                        found.append(pathlib.Path(home, "pipe").read_text())
                    reader = threading.Thread(target=read)
                    reader.start()
                    ended = Ended([STREAMER, *words], stop_after=1.5)
                    reader.join()
                    self.assertEqual(ended.status, STATUS.get(name, 0), ended.err)
                    self.assertTrue(found[0].startswith(BEGINNINGS[name]))

    def test_a_link_to_a_pipe_without_a_reader(self):
        """Trying whether it can be written shows its reader no end."""
        with tempfile.TemporaryDirectory() as home:
            os.mkfifo(f"{home}/pipe")
            os.symlink("pipe", f"{home}/link")
            for name, (words, _) in writers(f"{home}/link").items():
                with self.subTest(name):
                    reader = subprocess.Popen(["cat", f"{home}/pipe"], stdout=subprocess.PIPE, text=True)
                    Ended([STREAMER, *words], stop_after=1)
                    self.assertTrue(reader.communicate(timeout=5)[0].startswith(BEGINNINGS[name]))

    def test_a_pipe_that_nobody_empties_holds_no_stream_up(self):
        with tempfile.TemporaryDirectory() as home:
            os.mkfifo(f"{home}/pipe")
            reader = os.open(f"{home}/pipe", os.O_RDONLY | os.O_NONBLOCK)
            filler = os.open(f"{home}/pipe", os.O_WRONLY | os.O_NONBLOCK)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(filler, b"x" * 4096)
            for name, ended in writing(f"{home}/pipe", stop_after=1):
                with self.subTest(name):
                    self.assertLess(ended.seconds, 2.5)
                    self.assertIn("nobody reads it", ended.err)
            port = free_port()
            with sender(port), Run("receive", f"127.0.0.1:{port}", "--json", "--times", f"{home}/pipe",
                                   "--seconds", 3) as receiver:
                receiver.wait()
            self.assertGreater(json.loads(receiver.out)["frames"], 60)
            self.assertEqual(receiver.status, 1)
            os.close(reader)
            os.close(filler)

    def test_standard_output_that_nobody_reads_holds_no_stop_up(self):
        port = free_port(4)
        commands = [["receive", f"127.0.0.1:{port}", "--json"], ["receive", f"127.0.0.1:{port + 2}"],
                    ["bench", "test:", "--frames", 100000], ["bench", "test:", "--size", "64x64", "--frames", 3],
                    ["test:", "--stats", 0.05, *TO]]

        def into_a_full_pipe(words):
            reading, writing = os.pipe()
            fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(writing, b"x" * 4096)
            fcntl.fcntl(writing, fcntl.F_SETFL, 0)
            try:
                return Ended([STREAMER, *words], stop_after=2.5, stdout=writing)
            finally:
                os.close(reading)
                os.close(writing)
        for words, ended in zip(commands, together(into_a_full_pipe, commands)):
            with self.subTest(words):
                self.assertLess(ended.seconds, 2.5)
                if words[0] != "test:":
                    self.assertEqual(ended.status, 1)
                    self.assertIn("standard output: nobody reads it", ended.err)

    def test_a_slow_reader_gets_a_result_whole(self):
        words = ["bench", "test:", "--size", "64x64", "--frames", 3, "--warm-up", 0, "--html", "/proc/self/fd/1"]
        process = subprocess.Popen([STREAMER, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        fcntl.fcntl(process.stdout, 1031, 4096)        # F_SETPIPE_SZ
        out = b""
        while part := os.read(process.stdout.fileno(), 1000):
            out += part
            time.sleep(0.01)
        process.stdout.close()
        self.assertEqual(process.wait(), 0)
        self.assertTrue(out.rstrip().endswith(b"</html>"), out[-50:])


class FullDisks(unittest.TestCase):
    def test_the_result_is_printed_all_the_same(self):
        with tempfile.TemporaryDirectory() as home:
            for name, (words, ends) in writers(f"{home}/file").items():
                with self.subTest(name):
                    ended = Ended([*on_a_full_disk(home), STREAMER, *words], stop_after=None if ends else 1)
                    self.assertEqual(ended.status, 1)
                    self.assertIn(f"write on {home}/file: No space left on device (ENOSPC)", ended.err)
                    if "glass" not in name:
                        self.assertRegex(ended.out, r"\d frames")

    def test_a_disk_that_is_full_from_the_beginning(self):
        for name, (words, ends) in writers("/dev/full").items():
            with self.subTest(name):
                ended = Ended([STREAMER, *words], stop_after=None if ends else 1)
                self.assertEqual(ended.status, 1)
                self.assertIn("/dev/full: No space left on device (ENOSPC)", ended.err)
                if "glass" not in name:
                    self.assertRegex(ended.out, r"\d frames")

    def test_an_earlier_file_stays_whole(self):
        with tempfile.TemporaryDirectory() as home:
            script = f"echo before > {home}/file; head -c 100000 /dev/zero > {home}/fill 2> /dev/null; " \
                f"{STREAMER} bench --glass-page {home}/file; cat {home}/file; ls -A {home}"
            result = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c",
                                     f"mount -t tmpfs -o size=64k tmpfs {home} && {script}"],
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.assertEqual(result.stdout, "before\nfile\nfill\n")

    def test_a_limit_of_a_files_size_is_a_full_disk(self):
        with tempfile.TemporaryDirectory() as home:
            ended = Ended(["sh", "-c", f"ulimit -f 1; exec {STREAMER} bench --glass-page {home}/file"])
            self.assertEqual((ended.status, os.listdir(home)), (1, []))
            self.assertIn("EFBIG", ended.err)

    def test_frames_that_cannot_be_written_are_counted(self):
        port = free_port()
        with tempfile.TemporaryDirectory() as home, sender(port):
            ended = Ended([*on_a_full_disk(home), STREAMER, "receive", f"127.0.0.1:{port}", "--out", home, "--json",
                           "--frames", 10])
        result = json.loads(ended.out)
        self.assertEqual((ended.status, result["frames"], result["unwritten"]), (1, 10, 10))
        self.assertEqual(ended.err.count("ENOSPC"), 1)


class Folders(unittest.TestCase):
    """What `file:` reads."""

    def setUp(self):
        self.home = self.enterContext(tempfile.TemporaryDirectory())
        self.picture = next(pathlib.Path(pictures.jpegs(320, 240, count=1, sampling="420")).iterdir()).read_bytes()

    def first_lines(self, camera):
        with Run(camera, *TO) as sender:
            time.sleep(0.5)
        return sender

    def test_what_is_no_regular_file_is_skipped_and_said(self):
        home = pathlib.Path(self.home)
        (home / "b.jpg").write_bytes(self.picture)
        (home / "other.txt").write_text("no picture")
        os.mkfifo(home / "a.jpg")
        (home / "c.jpg").mkdir()
        (home / "d.jpg").symlink_to("nowhere")
        (home / "e.jpg").symlink_to("/dev/zero")
        (home / "f.jpg").symlink_to("b.jpg")
        (home / "g.jpg").symlink_to("g.jpg")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(home / "h.jpeg"))
        sender = self.first_lines(f"file:{home}")
        listener.close()
        self.assertEqual(sender.status, 0, sender.err)
        self.assertIn("6 of its 8 pictures skipped", sender.err)
        self.assertIn("a.jpg", sender.err)
        self.assertIn("2 pictures, JPEG 320x240", sender.err)
        self.assertIn(" 0 dropped", sender.out)

    def test_a_folder_without_a_regular_file_is_refused(self):
        os.mkfifo(f"{self.home}/a.jpg")
        result = run(f"file:{self.home}", *TO)
        self.assertEqual(result.status, 1)
        self.assertIn("no .jpg or .jpeg file", result.err)

    def test_names_that_are_not_utf8_are_skipped_by_name(self):
        pathlib.Path(self.home, "b.jpg").write_bytes(self.picture)
        # Python's way to write the bytes E9 and FF.
        for name in ("caf\udce9.jpg", "\udcffit's.JPEG", "n\udce9.txt"):
            pathlib.Path(self.home, name).write_bytes(self.picture)
        sender = self.first_lines(f"file:{self.home}")
        self.assertEqual(sender.status, 0, sender.err)
        self.assertIn("2 pictures skipped", sender.err)
        self.assertIn(r"UTF-8: $'\xffit\'s.JPEG', $'caf\xe9.jpg'; rename", sender.err)
        self.assertIn("1 pictures, JPEG 320x240", sender.err)

    def test_a_folder_of_such_names_alone_is_refused(self):
        pathlib.Path(self.home, "caf\udce9.jpg").write_bytes(self.picture)
        result = run(f"file:{self.home}", *TO)
        self.assertEqual(result.status, 1)
        self.assertIn(r"$'caf\xe9.jpg'", result.err)
        self.assertIn("no .jpg or .jpeg file in this directory that can be read", result.err)

    def test_memory_is_that_of_the_files(self):
        """Twice as many bytes cost no more than that."""
        peaks = {}
        for count in (8, 40):
            for number in range(count):
                pathlib.Path(self.home, f"{number}.jpg").write_bytes(self.picture + bytes((1 << 20) - len(self.picture)))
            pathlib.Path(self.home, "film.mjpeg").write_bytes(
                b"".join(self.picture + bytes((1 << 20) - len(self.picture)) for _ in range(count)))
            for name in ("", "/film.mjpeg"):
                with Run(f"file:{self.home}{name}", *TO, wait_for="fps, to") as sender:
                    text = pathlib.Path(f"/proc/{sender.process.pid}/status").read_text()
                    peaks[count, name] = int(text.split("VmHWM:")[1].split()[0])
        for name in ("", "/film.mjpeg"):
            self.assertLess((peaks[40, name] - peaks[8, name]) / 1024, 32 * 1.1, name)


class Chroot(unittest.TestCase):
    def test_it_runs_where_there_is_nothing_but_itself(self):
        """No /proc, no /dev, no /etc: the program and its libraries alone."""
        with tempfile.TemporaryDirectory() as home:
            libraries = subprocess.run(["ldd", STREAMER], stdout=subprocess.PIPE, text=True, check=True).stdout
            for path in [word for word in libraries.split() if word.startswith("/")]:
                target = pathlib.Path(home + path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(pathlib.Path(path).read_bytes())
                target.chmod(0o755)
            pathlib.Path(home, "streamer").write_bytes(pathlib.Path(STREAMER).read_bytes())
            pathlib.Path(home, "streamer").chmod(0o755)

            def inside(*words, **options):
                return Ended(["unshare", "--map-root-user", "chroot", home, "/streamer", *words], **options)
            self.assertRegex(inside("--version").out, r"^streamer \d")
            self.assertEqual(inside("list", "--json").out, "[]\n")
            port = free_port()
            with Run("receive", f"127.0.0.1:{port}", "--frames", 10, "--json", wait_for="receiving at") as receiver:
                ended = inside("test:", "--to", f"127.0.0.1:{port}", "--sdp", "/a.sdp", stop_after=2)
                receiver.wait()
            self.assertEqual((ended.status, receiver.status), (0, 0), ended.err)
            self.assertTrue(pathlib.Path(home, "a.sdp").read_text().startswith("v=0"))


if __name__ == "__main__":
    unittest.main()
