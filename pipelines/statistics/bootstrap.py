"""Bootstrap over groups (blocks, patients, scaffolds), never over their parts.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 14: bias-corrected and
accelerated (BCa) intervals; widened for few groups as Hesterberg, The American Statistician
69:371 (2015) widens those of percentiles: resamples of n groups spread by √((n − 1)/n) too little,
and Student's t has longer tails than the normal distribution.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm, t

from pipelines.core.contract import FEWEST_GROUPS
from pipelines.core.randomness import generator

RESAMPLES = 9999
LEVEL = 0.95
DEFINED = 0.95  # the share of resamples that must have a score, or there is no interval
MOST_NUMBERS = 4_000_000  # of a column that are resampled at a time; the result is the same


class Interval(NamedTuple):
    """An estimate and its 95 % interval; the bounds are NaN where they cannot be estimated."""

    value: float
    low: float
    high: float


def interval(statistic: Callable[..., Any], *columns: Any, seed: int) -> Interval:
    """A statistic of grouped data and its bootstrap interval.

    Args:
        statistic: takes as many arrays as there are columns, each of shape (..., groups), and
            reduces the last axis. A ratio of sums is `lambda a, b: a.sum(-1) / b.sum(-1)`.
        columns: arrays of shape (groups,), such as each block's true positives and its objects.
        seed: seed of the resampling.

    Returns:
        The statistic on all groups with its interval, see `bounded`.
    """
    arrays = [np.asarray(column, dtype=float) for column in columns]
    groups = len(arrays[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        values = [statistic(*(array[rows] for array in arrays)) for rows in _choices(groups, seed)]
    return bounded(np.concatenate([np.atleast_1d(value) for value in values]), groups)


def paired(
    statistic: Callable[..., Any],
    ours: tuple[Any, ...],
    theirs: tuple[Any, ...],
    seed: int,
) -> Interval:
    """The difference ours − theirs of a statistic on the same groups, resampled together.

    Args:
        statistic: as for `interval`.
        ours: columns of shape (groups,) of one method.
        theirs: the same columns of the other, groups in the same order.
        seed: seed of the resampling.
    """
    count = len(ours)

    def difference(*columns: Any) -> Any:
        return statistic(*columns[:count]) - statistic(*columns[count:])

    return interval(difference, *ours, *theirs, seed=seed)


def bounded(values: np.ndarray, groups: int) -> Interval:
    """The score and its 95 % interval from its values on resamples.

    Args:
        values: the score of all groups, of all but one (`groups` values, the jackknife), and of
            RESAMPLES draws with replacement; NaN where it is not defined, as an AUC of one class.
        groups: how many there are.

    Returns:
        The BCa interval; that of percentiles where BCa is undefined (the jackknife values are all
        alike); NaN bounds for fewer than FEWEST_GROUPS, or where more than a twentieth of the draws
        have no score: then few groups decide, and those draws that have one are too much alike.
        The interval always holds the score: one at the edge of what is possible lies beyond all of
        its resamples.
    """
    value, left_out, drawn = values[0], values[1 : 1 + groups], values[1 + groups :]
    defined = np.sort(drawn[np.isfinite(drawn)])
    if not np.isfinite(value) or groups < FEWEST_GROUPS or len(defined) < DEFINED * len(drawn):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(defined, _levels(value, left_out, defined))
    return Interval(float(value), float(min(low, value)), float(max(high, value)))


def _choices(groups: int, seed: int) -> Iterator[np.ndarray]:
    """Rows of group numbers: all; all but one (the jackknife); RESAMPLES draws; in blocks."""
    yield np.arange(groups)
    if groups < FEWEST_GROUPS:
        return
    size = max(1, MOST_NUMBERS // groups)
    kept = np.arange(groups - 1)
    for start in range(0, groups, size):
        out = np.arange(start, min(start + size, groups))[:, None]
        yield kept + (kept >= out)
    rng = generator(seed, groups)
    for start in range(0, RESAMPLES, size):
        yield rng.integers(groups, size=(min(size, RESAMPLES - start), groups))


def edges(groups: int) -> np.ndarray:
    """(2,) the interval's ends in standard deviations of a normal distribution of resamples."""
    edge = np.sqrt(groups / (groups - 1)) * t.ppf((1 + LEVEL) / 2, groups - 1)
    return np.array([-edge, edge])


def _levels(value: float, left_out: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The two quantiles of the resamples that bound the interval."""
    wide = edges(len(left_out))
    below = (drawn < value).mean() / 2 + (drawn <= value).mean() / 2
    apart = left_out.mean() - left_out
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore")
        acceleration = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)
        shift = norm.ppf(below) + wide
        levels = norm.cdf(norm.ppf(below) + shift / (1 - acceleration * shift))
    return levels if np.isfinite(levels).all() else norm.cdf(wide)
