"""Installing: what `make install` needs, puts there and takes away again, and how the installed files are built."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from program import ROOT

# What a machine has without any compiler.
TOOLS = ("make", "sh", "install", "rm", "rmdir", "mkdir", "awk", "uname")


class Install(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.target = self.home / "target"
        (self.home / "bin").mkdir()
        for tool in TOOLS:
            (self.home / "bin" / tool).symlink_to(shutil.which(tool))

    def make(self, *words, folder=ROOT):
        """Without a network, a compiler, Swift or a package manager."""
        return subprocess.run(
            [shutil.which("unshare"), "--map-root-user", "--net", shutil.which("make"), "-C", folder, *words, f"DESTDIR={self.target}",
             "PREFIX=/opt/here"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": str(self.home / "bin")})

    def installed(self):
        result = self.make("install")
        self.assertEqual(result.returncode, 0, result.stdout)
        return sorted(str(path.relative_to(self.target)) for path in self.target.rglob("*") if path.is_file())

    def test_it_takes_what_was_built_and_uninstall_takes_it_away(self):
        before = sorted((ROOT / ".build").iterdir())
        self.assertEqual(self.installed(), ["opt/here/bin/streamer", "opt/here/lib/streamer/libstreamer-libcamera.so"])
        self.assertEqual(sorted((ROOT / ".build").iterdir()), before)
        program = self.target / "opt/here/bin/streamer"
        result = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True)
        self.assertRegex(result.stdout, r"^streamer \d")
        # Once more, over what is there.
        self.installed()
        other = self.target / "opt/here/lib/other"
        other.write_text("another program's")
        self.assertEqual(self.make("uninstall").returncode, 0)
        self.assertEqual([path for path in self.target.rglob("*") if path.is_file()], [other])
        self.assertFalse((self.target / "opt/here/lib/streamer").exists())
        self.assertEqual(self.make("uninstall").returncode, 0)

    def test_where_nothing_was_built_it_says_make_build(self):
        fresh = self.home / "fresh"
        fresh.mkdir()
        shutil.copy(ROOT / "Makefile", fresh)
        shutil.copytree(ROOT / "scripts", fresh / "scripts")
        result = self.make("install", folder=fresh)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("make build", result.stdout)
        self.assertFalse(self.target.exists())
        self.assertFalse((fresh / ".build").exists())

    def test_the_files_are_hardened_stripped_and_name_no_folder_of_this_machine(self):
        self.installed()
        for path in ("bin/streamer", "lib/streamer/libstreamer-libcamera.so"):
            path = self.target / "opt/here" / path
            with self.subTest(path.name):
                def read(*words):
                    return subprocess.run([*words, path], stdout=subprocess.PIPE, text=True, check=True).stdout
                dynamic = read("readelf", "-dW")
                self.assertRegex(dynamic, r"BIND_NOW|FLAGS_1.*NOW")
                self.assertNotRegex(dynamic, r"RPATH|RUNPATH|TEXTREL")
                segments = read("readelf", "-lW")
                self.assertIn("GNU_RELRO", segments)
                self.assertRegex(segments, r"GNU_STACK .* RW ")
                self.assertIn("Type:                              DYN", read("readelf", "-h"))
                self.assertNotRegex(read("readelf", "-SW"), r"\.symtab|\.debug_")
                text = path.read_bytes()
                swift = pathlib.Path(shutil.which("swift")).resolve().parents[1]
                for folder in (str(ROOT), os.path.expanduser("~") + "/", str(swift) + "/", "/.build/"):
                    self.assertNotIn(folder.encode(), text)
        # The one function of the checked ones that CJPEG can't do without.
        symbols = subprocess.run(["readelf", "--dyn-syms", "-W", self.target / "opt/here/bin/streamer"],
                                 stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertTrue(re.search(r"__longjmp_chk", symbols))


if __name__ == "__main__":
    unittest.main()
