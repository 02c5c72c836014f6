"""The bootstrap over groups for hundreds of scores at once.

The intervals are those of `pipelines.statistics.interval` (BCa, Efron and Tibshirani 1993, chapter
14), computed another way: every score here is a function of the weight that each group has, so
one draw of weights serves all scores, all methods and all their paired differences.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import LEVEL, RESAMPLES, Interval

_BLOCK = 500


def weightings(groups: int, seed: int) -> Iterator[np.ndarray]:
    """Weights (rows, groups) of the groups, in blocks of rows.

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


def bounded(values: np.ndarray, groups: int) -> Interval:
    """The score and its 95 % interval from its values under the rows of `weightings`.

    NaN where a draw has no score is left out; where BCa is undefined the percentiles are taken.
    The interval always holds the score: one at the edge of what is possible lies beyond all of its
    resamples.
    """
    value, left_out, drawn = values[0], values[1 : 1 + groups], values[1 + groups :]
    drawn = np.sort(drawn[np.isfinite(drawn)])
    if not np.isfinite(value) or groups < 2 or len(drawn) < RESAMPLES / 2:
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(drawn, _levels(value, left_out, drawn))
    return Interval(float(value), float(min(low, value)), float(max(high, value)))


def ratios(above: np.ndarray, below: np.ndarray, seed: int) -> list[Interval]:
    """Ratios of sums over groups, column by column, from the same draws.

    above, below: (groups, columns); with ones below it is the mean.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = [(w @ above) / (w @ below) for w in weightings(len(above), seed)]
    return [bounded(column, len(above)) for column in np.concatenate(drawn).T]


def _levels(value: float, left_out: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The two quantiles of the resamples that bound the interval."""
    plain = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    below = (drawn < value).mean() / 2 + (drawn <= value).mean() / 2
    apart = left_out.mean() - left_out
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore")
        acceleration = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)
        shift = norm.ppf(below) + norm.ppf(plain)
        levels = norm.cdf(norm.ppf(below) + shift / (1 - acceleration * shift))
    return levels if np.isfinite(levels).all() else plain
