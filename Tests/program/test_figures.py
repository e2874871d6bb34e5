"""The statistics of the benches: medians, intervals, ratios, limits."""

import contextlib
import io
import math
import random
import statistics
import sys
import unittest

import program

sys.path.append(str(program.ROOT / "bench"))

import common
import figures
from figures import Limit, held, interval, median, part, ratios, shown

TRIALS = 300


def share_held(draw, truth, size):
    """The share of trials whose interval holds the true median."""
    trials = ([draw() for _ in range(size)] for _ in range(TRIALS))
    return sum(low <= truth <= high for low, high in map(interval, trials)) / TRIALS


class Medians(unittest.TestCase):
    def test_parts(self):
        """The nearest rank."""
        values = list(range(1, 11))
        self.assertEqual([part(values, share) for share in (0, 0.1, 0.5, 0.51, 0.99, 1)], [1, 1, 5, 6, 10, 10])
        self.assertEqual(part([7], 0.5), 7)
        self.assertTrue(math.isnan(part([], 0.5)))

    def test_rounds_without_a_measurement_are_left_out(self):
        self.assertEqual(median([3, math.nan, 1, 2]), 2)
        self.assertEqual(interval([3, math.nan, 1, 2]), interval([3, 1, 2]))
        self.assertTrue(math.isnan(median([math.nan])))

    def test_as_people_read_it(self):
        self.assertEqual(shown([1, 1, 1, 1, 1]), "1.00 (1.00-1.00)")
        self.assertEqual(shown([0.98, 1.03, 1.07, 1.04, 1.01]), "1.03 (0.98-1.07)")
        self.assertEqual(shown([12.34], 1), "12.3")
        self.assertEqual(shown([math.nan]), "-")


class Intervals(unittest.TestCase):
    def test_it_holds_the_true_median_19_times_of_20(self):
        """Even and skewed, of as few values as a bench has rounds, and of more."""
        chance = random.Random(7)
        for draw, truth in ((lambda: chance.gauss(100, 10), 100), (lambda: chance.lognormvariate(0, 0.5), 1)):
            for size in (5, 9, 25):
                with self.subTest(size=size, truth=truth):
                    self.assertTrue(0.90 <= share_held(draw, truth, size) <= 0.985)

    def test_a_normal_distributions_median(self):
        """Its standard error is known: 1.2533 sigma by the root of n."""
        chance = random.Random(7)
        widths = [high - low for low, high in (interval([chance.gauss(0, 1) for _ in range(200)]) for _ in range(20))]
        self.assertAlmostEqual(statistics.mean(widths), 2 * 1.96 * 1.2533 / math.sqrt(200), delta=0.06)

    def test_the_same_values_have_the_same(self):
        values = random.Random(1).sample(range(1000), 11)
        self.assertEqual(interval(values), interval(list(values)))
        low, high = interval(values)
        self.assertLess(low, statistics.median(values))
        self.assertGreater(high, statistics.median(values))

    def test_certainty_costs_width(self):
        values = list(range(100))
        (low, high), (nearer, near) = interval(values), interval(values * 16)
        self.assertAlmostEqual((high - low) / (near - nearer), 4, delta=1)


class Pairs(unittest.TestCase):
    def test_ratios_are_of_one_round(self):
        """A machine that is twice as slow in some rounds is so for both: the ratio knows nothing of it."""
        chance = random.Random(7)
        speeds = [chance.choice([1, 1.5, 2]) for _ in range(9)]
        ours = [103 * speed * chance.gauss(1, 0.01) for speed in speeds]
        theirs = [100 * speed * chance.gauss(1, 0.01) for speed in speeds]
        low, high = interval(ratios(ours, theirs))
        self.assertTrue(1 < low < 1.03 < high < 1.05, (low, high))
        # Not so without the pairs.
        shuffled = theirs[::-1]
        low, high = interval(ratios(ours, shuffled))
        self.assertGreater(high - low, 0.1)

    def test_a_round_of_one_alone_is_an_error(self):
        with self.assertRaises(ValueError):
            ratios([1, 2], [1])

    def test_rounds_are_interleaved(self):
        order = []
        with contextlib.redirect_stderr(io.StringIO()) as dots:
            rounds = common.interleaved(3, ["a", "b", "c"], lambda case: order.append(case) or len(order))
        self.assertEqual("".join(order), "abccbaabc")
        self.assertEqual(rounds, [{"a": 1, "b": 2, "c": 3}, {"a": 6, "b": 5, "c": 4}, {"a": 7, "b": 8, "c": 9}])
        self.assertEqual(dots.getvalue(), "." * 9 + "\n")


class Limits(unittest.TestCase):
    def held(self, limit, rounds):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            result = held([limit], rounds, "title")
        return result, out.getvalue()

    def test_a_median_is_held(self):
        limit = Limit("cost", 1.1, lambda found: found)
        self.assertEqual(self.held(limit, [1, 1.1, 9]), (True, "\n| title | found | at most |\n| --- | --- | --- |\n"
                                                         "| cost | 1.10 (1.00-9.00) | 1.1 |\n"))
        result, text = self.held(limit, [1, 1.1012, 9])
        self.assertFalse(result)
        self.assertIn("FAILED: cost: 1.101, at most 1.1\n", text)

    def test_the_worst_is_held(self):
        limit = Limit("resident", 6, lambda found: found, max, " MB")
        self.assertEqual(self.held(limit, [5, 6])[0], True)
        result, text = self.held(limit, [1, 1, 6.5])
        self.assertFalse(result)
        self.assertIn("| resident | 6.50 MB | 6 MB |", text)

    def test_what_was_not_measured_is_not_held(self):
        limit = Limit("time", 5, lambda found: found)
        self.assertFalse(self.held(limit, [1, math.nan, math.nan])[0])
        self.assertTrue(self.held(limit, [1, 1, math.nan])[0])


if __name__ == "__main__":
    unittest.main()
