#!/usr/bin/env python3
"""v4l2loopback as Debian has it, built for the lab's kernel out of Debian's packages, none of which is installed.

    build(Kernel.find())        # the path of v4l2loopback.ko

Kept next to the kernel in the cache; it takes some 10 s to build, and for the first time a package mirror.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from kernel import cache, say

SOURCE = "v4l2loopback-dkms"


def build(kernel):
    """The module for a kernel, built unless it is there."""
    final = cache() / "v4l2loopback" / f"{kernel.release}.ko"
    if final.exists():
        return final
    final.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=".") as folder:
        tree = pathlib.Path(folder, "tree")
        fetch(pathlib.Path(folder), f"linux-headers-{kernel.release}", tree)
        sources, = tree.glob("usr/src/v4l2loopback-*")
        headers = tree / f"usr/src/linux-headers-{kernel.release}"
        # It names the place where the package would be installed.
        common, = tree.glob("usr/src/linux-headers-*-common")
        (headers / "Makefile").write_text(f"include {common}/Makefile\n")
        say(f"building v4l2loopback for {kernel.release} (once)")
        subprocess.run(["make", "-s", "-C", headers, f"M={sources}", "modules"], check=True, stdout=sys.__stderr__)
        (sources / "v4l2loopback.ko").rename(final)     # someone else may have been faster: theirs is the same
    return final


def fetch(folder, headers, tree):
    """Downloads and unpacks the module's source, and a kernel's headers with what building with them needs."""
    depends = subprocess.run(["apt-cache", "depends", headers], check=True, capture_output=True, text=True).stdout
    names = re.findall(r"Depends: (linux-(?:headers|kbuild)-\S+)", depends)
    subprocess.run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", SOURCE, headers, *names], cwd=folder,
                   check=True, stdout=sys.__stderr__)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, tree], check=True)
