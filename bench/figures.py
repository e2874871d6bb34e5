"""Figures of rounds, such as milliseconds or the ratio of two programs: medians, how sure they are, and the limits that they
are held to.

A shared machine makes single rounds worth little, and is slower for some minutes and then quicker: so two programs are
compared by their ratio in each round, where both had the same machine, and what counts is the median of the ratios."""

import collections
import math
import random
import statistics

SURE = 0.95
RESAMPLES = 2000


def measured(values):
    """Those that there are: what can't be measured in a round is not a number there."""
    return [value for value in values if not math.isnan(value)]


def part(values, share):
    """The least of the values, which are sorted, that so many of them don't exceed."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


def median(values):
    return statistics.median(measured(values) or [math.nan])


def interval(values):
    """Where the true median is, with 95 % certainty: as wide as the medians of values that are drawn from these ones with
    replacement are spread (the percentile bootstrap). The same values have the same interval. Of few values it is a little
    too narrow: it holds the true median in 93 % of the cases where there are 5, and of even numbers and of 7 less than that."""
    values = measured(values)
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES if values else 0))
    return part(medians, (1 - SURE) / 2), part(medians, (1 + SURE) / 2)


def ratios(ours, theirs):
    """Of two programs' rounds, each round for itself."""
    return [our / their for our, their in zip(ours, theirs, strict=True)]


def shown(values, places=2):
    """The median and its interval: `1.03 (0.98-1.07)`. One round has no interval."""
    values = measured(values)
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.{places}f}"
    return "{:.{places}f} ({:.{places}f}-{:.{places}f})".format(median(values), *interval(values), places=places)


class Limit(collections.namedtuple("Limit", "name most value over unit", defaults=(median, ""))):
    """The most that a figure may be: `value` gives it for a round, and `over` makes one of those of all rounds."""

    def of(self, rounds):
        """The figure, and how it is shown. Where there was nothing to measure, nothing is held, either."""
        values = [math.inf if math.isnan(value) else value for value in map(self.value, rounds)]
        found = self.over(values)
        return found, (shown(values) if self.over is median else f"{found:.2f}") + self.unit


def held(limits, rounds, title):
    """Prints each limit with what was found; whether all are held."""
    print(f"\n| {title} | found | at most |\n| --- | --- | --- |")
    missed = []
    for limit in limits:
        found, text = limit.of(rounds)
        print(f"| {limit.name} | {text} | {limit.most}{limit.unit} |")
        if found > limit.most:
            missed.append(f"{limit.name}: {found:.3f}{limit.unit}, at most {limit.most}{limit.unit}")
    for text in missed:
        print(f"FAILED: {text}")
    return not missed
