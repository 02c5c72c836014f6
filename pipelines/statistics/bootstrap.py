"""Bootstrap over groups (blocks, patients, scaffolds), never over their parts.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 14: bias-corrected and
accelerated (BCa) intervals, by `scipy.stats.bootstrap`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

RESAMPLES = 9999
LEVEL = 0.95
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
        The statistic on all groups with a BCa interval; a percentile interval where BCa is
        undefined (the jackknife values are all alike); NaN bounds for fewer than two groups.
    """
    arrays = [np.asarray(column, dtype=float) for column in columns]
    value = float(statistic(*arrays))
    if len(arrays[0]) < 2:
        return Interval(value, math.nan, math.nan)

    def vectorised(*resampled: Any, axis: int) -> Any:
        return statistic(*(np.moveaxis(array, axis, -1) for array in resampled))

    for method in ("BCa", "percentile"):
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.simplefilter("ignore")  # SciPy warns where BCa is undefined: handled here
            bounds = stats.bootstrap(
                arrays,
                vectorised,
                paired=True,
                vectorized=True,
                n_resamples=RESAMPLES,
                batch=max(1, MOST_NUMBERS // len(arrays[0])),
                confidence_level=LEVEL,
                method=method,
                rng=np.random.default_rng(seed),
            ).confidence_interval
        if math.isfinite(bounds.low) and math.isfinite(bounds.high):
            return Interval(value, float(bounds.low), float(bounds.high))
    return Interval(value, math.nan, math.nan)


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
