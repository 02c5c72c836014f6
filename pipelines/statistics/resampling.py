"""The bootstrap over groups for hundreds of scores at once.

As `pipelines.statistics.interval`, computed another way: every score here is a function of the
weight that each group has, so one draw of weights serves all scores, all methods and all their
paired differences.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import RESAMPLES, Interval, bounded

_BLOCK = 500


def weightings(groups: int, seed: int) -> Iterator[np.ndarray]:
    """Weights (rows, groups) of the groups, in blocks of rows, as `bounded` wants their scores.

    The first row counts each group once, the next `groups` rows leave one out each (the
    jackknife), the last RESAMPLES rows are draws with replacement.
    """
    yield np.ones((1, groups))
    for start in range(0, groups, _BLOCK):
        rows = min(_BLOCK, groups - start)
        yield 1.0 - np.eye(rows, groups, start)
    yield from draws(groups, RESAMPLES, seed)


def draws(groups: int, count: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks of `count` rows in all: how often each group is drawn, with replacement."""
    rng = generator(seed, groups)
    for start in range(0, count, _BLOCK):
        rows = min(_BLOCK, count - start)
        drawn = rng.integers(groups, size=(rows, groups))
        drawn += groups * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * groups)
        yield counts.reshape(rows, groups).astype(float)


def ratios(above: np.ndarray, below: np.ndarray, seed: int) -> list[Interval]:
    """Ratios of sums over groups, column by column, from the same draws.

    above, below: (groups, columns); with ones below it is the mean.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = [(w @ above) / (w @ below) for w in weightings(len(above), seed)]
    return [bounded(column, len(above)) for column in np.concatenate(drawn).T]
