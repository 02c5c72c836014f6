"""The bootstrap over patients for hundreds of scores at once.

The intervals are those of `pipelines.statistics.interval` (BCa, Efron and Tibshirani 1993, chapter
14), computed another way: every score here is a function of the weight that each patient has, so
one draw of weights serves all scores, all methods and all their paired differences.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import LEVEL, RESAMPLES, Interval

_BLOCK = 1000


def weightings(patients: int, seed: int) -> Iterator[np.ndarray]:
    """Weights (rows, patients) of the patients, in blocks of rows.

    The first row counts each patient once, the next `patients` rows leave one out each (the
    jackknife), the last RESAMPLES rows are draws with replacement.
    """
    yield np.ones((1, patients))
    yield 1.0 - np.eye(patients)
    rng = generator(seed, patients)
    for start in range(0, RESAMPLES, _BLOCK):
        rows = min(_BLOCK, RESAMPLES - start)
        drawn = rng.integers(patients, size=(rows, patients))
        drawn += patients * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * patients)
        yield counts.reshape(rows, patients).astype(float)


def bounded(values: np.ndarray, patients: int) -> Interval:
    """The score and its 95 % interval from its values under the rows of `weightings`.

    NaN where a draw has no score is left out; where BCa is undefined the percentiles are taken.
    The interval always holds the score: one at the edge of what is possible (R² of a constant)
    lies beyond all of its resamples.
    """
    value, left_out, drawn = values[0], values[1 : 1 + patients], values[1 + patients :]
    drawn = np.sort(drawn[np.isfinite(drawn)])
    if not np.isfinite(value) or patients < 2 or len(drawn) < RESAMPLES / 2:
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(drawn, _levels(value, left_out, drawn))
    return Interval(float(value), float(min(low, value)), float(max(high, value)))


def ratios(above: np.ndarray, below: np.ndarray, seed: int) -> list[Interval]:
    """Ratios of sums over patients, column by column, from the same draws.

    above, below: (patients, columns); with ones below it is the mean.
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
