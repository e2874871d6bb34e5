#!/usr/bin/env python3
"""A large periodic picture to take views of: smooth clouds, edges and fine grain, as a camera's pictures have.

Pure Python, a second or two. A tile of 1024 x 1024 is made and repeated, so that a view at any offset is a plain
window into memory: another view is another picture, at no cost.
"""

import random

SIZE = 1024             # of the tile
CLOUD = 256             # pixels between the random values that clouds are made of
SHAPES = 36
GRAIN = 2               # the most that noise adds to or takes from a pixel of luma


class Plane:
    """One component, repeated far enough for views of width x height at any offset within a tile."""

    def __init__(self, rows, width, height):
        tile_width = len(rows[0])
        self.stride = (width // tile_width + 2) * tile_width
        wide = [row * (self.stride // tile_width) for row in rows]
        self.data = b"".join(wide * (height // len(rows) + 2))

    def offset(self, x, y):
        return y * self.stride + x


def clouds(rng, width, height, least, most):
    """Rows of a smooth periodic surface: random values on a coarse grid, and straight lines between them."""
    across = width * CLOUD // SIZE          # a chroma plane has fewer pixels for the same distance
    down = height * CLOUD // SIZE
    grid = []
    for _ in range(height // down):
        knots = [rng.randint(least, most) for _ in range(width // across)]
        pairs = zip(knots, knots[1:] + knots[:1])
        grid.append([a + (b - a) * step // across for a, b in pairs for step in range(across)])
    for upper, lower in zip(grid, grid[1:] + grid[:1]):
        for step in range(down):
            yield bytearray([a + (b - a) * step // down for a, b in zip(upper, lower)])


def draw(rng, planes):
    """Rectangles and discs, each a change of brightness and colour with a sharp edge."""
    for _ in range(SHAPES):
        width, height = rng.randint(8, 220), rng.randint(8, 160)
        left, top = rng.randrange(SIZE - width), rng.randrange(SIZE - height)
        round_ = rng.random() < 0.4
        for rows, most in zip(planes, (50, 24, 24)):
            change = rng.randint(-most, most)
            table = bytes(min(max(value + change, 0), 255) for value in range(256))
            across, down = SIZE // len(rows[0]), SIZE // len(rows)
            for y in range(top // down, (top + height) // down):
                part = (y * down - top) / height * 2 - 1
                half = width / 2 * (max(0, 1 - part * part) ** 0.5 if round_ else 1)
                x0, x1 = int(left + width / 2 - half) // across, int(left + width / 2 + half) // across
                rows[y][x0:x1] = rows[y][x0:x1].translate(table)


def add_grain(rng, rows):
    """Noise on every pixel. One long row of it, read from another place for each row, is noise enough."""
    noise = [rng.randint(-GRAIN, GRAIN) for _ in range(16 * SIZE)]
    for number, row in enumerate(rows):
        start = rng.randrange(15 * SIZE)
        rows[number] = bytearray([min(max(value + change, 0), 255) for value, change in zip(row, noise[start:start + SIZE])])


def planes(width, height, across, down):
    """Y, Cb and Cr planes for views of width x height, chroma having 1/across and 1/down as many pixels each way."""
    rng = random.Random(2435)
    luma = list(clouds(rng, SIZE, SIZE, 40, 215))
    chroma = [list(clouds(rng, SIZE // across, SIZE // down, 90, 166)) for _ in range(2)]
    draw(rng, [luma, *chroma])
    add_grain(rng, luma)
    sizes = [(width, height)] + [(width // across, height // down)] * 2
    return [Plane([bytes(row) for row in rows], *size) for rows, size in zip([luma, *chroma], sizes)]
