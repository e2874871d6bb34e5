"""The README's tables, each between the marks `<!-- make NAME -->` and `<!-- end -->`, where NAME is the target that makes it."""

import re

import program

README = program.ROOT / "README.md"


def markdown(rows):
    """The first of them is the head."""
    head, *rest = rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rest])


def marks(name):
    return re.compile(rf"(?<=<!-- make {name} -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)


def table(name):
    """As it stands there."""
    return marks(name).search(README.read_text())[0]


def write(name, text):
    """Puts another one in its place."""
    whole, count = marks(name).subn(lambda _: text, README.read_text())
    assert count == 1, f"README.md has {count} tables of make {name}"
    README.write_text(whole)
