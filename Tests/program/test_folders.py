"""The program's folders name types of those before them only: what a compiler would hold, were each a module."""

import pathlib
import re
import unittest

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "Sources/streamer"
ORDER = ["Support", "Lifecycle", "Cameras", "Stream", "CommandLine", "Report", "Control", "Glass", "Bench", "Receive", ""]
TYPE = re.compile(r"^(?:[a-z@]\S* )*(?:struct|class|enum|protocol|actor|typealias) (\w+)", re.M)
NESTED = re.compile(r"\b(?:struct|class|enum|typealias) (\w+)")


def code(text):
    text = re.sub(r'"""(.|\n)*?"""', '""', text)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', re.sub(r"//.*", "", text))


def place(file):
    first, *rest = file.relative_to(PROGRAM).parts
    return first if rest else ""


def upward(files):
    """`FILE names TYPE of FOLDER`, for each type of a folder that comes later.

    - files: path to text."""
    texts = {file: code(text) for file, text in files.items()}
    homes = {name: place(file) for file, text in texts.items() for name in TYPE.findall(text)}
    own = {folder: {name for file, text in texts.items() if place(file) == folder for name in NESTED.findall(text)}
           for folder in ORDER}
    return [f"{file.name} names {word} of {homes[word]}"
            for file, text in texts.items() for word in sorted(set(re.findall(r"(?<![.\w])[A-Z]\w+", text)))
            if word in homes and word not in own[place(file)]
            and ORDER.index(homes[word]) > ORDER.index(place(file))]


class Folders(unittest.TestCase):
    def setUp(self):
        self.files = {file: file.read_text() for file in PROGRAM.rglob("*.swift")}

    def test_none_names_a_later_one(self):
        self.assertEqual({place(file) for file in self.files}, set(ORDER))
        self.assertEqual(upward(self.files), [])

    def test_one_that_does_is_found(self):
        self.files[PROGRAM / "Cameras/New.swift"] = "extension Source { var options: StreamOptions? { nil } }"
        self.assertEqual(upward(self.files), ["New.swift names StreamOptions of CommandLine"])
