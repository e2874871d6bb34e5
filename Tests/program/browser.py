"""Headless Chromium, spoken to through a pipe (the DevTools protocol): what a page looks like, and what is wrong with it.

    png = screenshot(path, 390, 844)    # written beside the page
    errors(path)                        # what its scripts complained about, in words
    overflow(path, 390)                 # pixels that it is too wide by, in a window that wide
"""

import atexit
import base64
import fcntl
import functools
import json
import os
import pathlib
import select
import subprocess
import tempfile
import time

FLAGS = ["--headless=new", "--no-sandbox", "--no-first-run", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"]


class Browser:
    """The one that all pages are in, one after the other."""

    def __init__(self):
        self.number, self.rest = 0, b""
        self.hear = lambda said: None       # takes what it says unasked
        self.profile = tempfile.TemporaryDirectory(prefix="streamer-browser-", ignore_cleanup_errors=True)
        # The browser reads from 3 and writes to 4; ours are out of the way of these.
        here, there = [[fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in pair] for pair in (os.pipe(), os.pipe())]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{here[0]} 4>&{there[1]}', "bash", "chromium", *FLAGS,
             f"--user-data-dir={self.profile.name}", "about:blank"],
            pass_fds=(here[0], there[1]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(here[0])
        os.close(there[1])
        self.write, self.read = here[1], there[0]
        atexit.register(self.close)

    def ask(self, method, session=None, **words):
        """Calls a method; gives its result."""
        self.number += 1
        call = {"id": self.number, "method": method, "params": words}
        if session:
            call["sessionId"] = session
        os.write(self.write, json.dumps(call).encode() + b"\0")
        answers = []
        self.until(lambda: answers, answers)
        if "error" in answers[0]:
            raise RuntimeError(f"{method}: {answers[0]['error']}")
        return answers[0]["result"]

    def until(self, ready, answers=None, seconds=60):
        """Takes what the browser says, until that is enough."""
        end = time.monotonic() + seconds
        while not ready():
            if b"\0" not in self.rest:
                said = select.select([self.read], [], [], 1)[0] and os.read(self.read, 1 << 20)
                # Where it is gone, processes of its own may still have the pipe.
                if said == b"" or not said and self.process.poll() is not None:
                    raise RuntimeError("the browser is gone")
                if not said and time.monotonic() > end:
                    raise RuntimeError("the browser says nothing")
                self.rest += said or b""
                continue
            text, self.rest = self.rest.split(b"\0", 1)
            said = json.loads(text)
            if said.get("id") == self.number:
                answers.append(said)
            else:
                self.hear(said)

    def close(self):
        atexit.unregister(self.close)
        running.cache_clear()
        try:
            self.ask("Browser.close")
            self.process.wait(10)
        except (RuntimeError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.write)
        os.close(self.read)
        self.profile.cleanup()


@functools.cache
def running():
    """The browser, which is started for the first page."""
    return Browser()


class Page:
    """A page that shares nothing with others but the browser."""

    def __init__(self, path, width=1280, height=720, scale=1):
        self.errors = []
        self.session, self.loaded = None, False
        self.browser = running()
        self.browser.hear = self.hear
        try:
            self.context = self.ask("Target.createBrowserContext")["browserContextId"]
            target = self.ask("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
            self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for part in ("Page", "Runtime", "Log"):
                self.ask(f"{part}.enable")
            self.resize(width, height, scale)
            self.loaded = False
            self.ask("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
            self.browser.until(lambda: self.loaded)
            # Two pictures on: what is done at each is done.
            self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        except BaseException:
            self.browser.close()
            raise

    def ask(self, method, **words):
        return self.browser.ask(method, self.session, **words)

    def hear(self, event):
        if event.get("sessionId") != self.session:
            return
        method, said = event.get("method"), event.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "assert"):
            self.errors.append(" ".join(str(each.get("value", each.get("description"))) for each in said["args"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.errors.append(said["entry"]["text"])

    def evaluate(self, expression):
        """What an expression is in the page."""
        result = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["text"])
        return result["result"].get("value")

    def resize(self, width, height, scale=1):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)

    def screenshot(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.browser.ask("Target.disposeBrowserContext", browserContextId=self.context)
        except (RuntimeError, OSError):
            self.browser.close()


def screenshot(path, width, height, scale=1):
    """The page's picture, beside it."""
    png = pathlib.Path(f"{path}-{width}x{height}@{scale}.png")
    with Page(path, width, height, scale) as page:
        page.screenshot(png)
    return png


def errors(path, seconds=0.5):
    """What the page's scripts complain about, in so many seconds."""
    with Page(path) as page:
        page.evaluate(f"new Promise(done => setTimeout(done, {seconds * 1000}))")
        return page.errors


def overflow(path, width, height=844):
    """By how many pixels the page is too wide for a window that wide."""
    with Page(path, width, height) as page:
        return page.evaluate("document.documentElement.scrollWidth") - width


def pixels(png, form="gray"):
    """A picture's luma, or its pixels in another form of FFmpeg's, and its size."""
    size = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", png],
                          stdout=subprocess.PIPE, check=True, text=True).stdout
    width, height = map(int, size.split(","))
    data = subprocess.run(["ffmpeg", "-v", "error", "-i", png, "-pix_fmt", form, "-f", "rawvideo", "-"],
                          stdout=subprocess.PIPE, check=True).stdout
    return data, width, height
