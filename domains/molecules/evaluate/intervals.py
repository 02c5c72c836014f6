"""95 % intervals over molecules, without resampling.

A bootstrap of 30,000 molecules for each of twenty scores of seven sets would take longer than all
scores; of the Fréchet distance it would be biased, too, since a resample has fewer distinct
molecules. Shares have Wilson's interval (1927); everything else is a smooth function of the
molecules' distribution, and its standard error is that of the mean of its influence function: the
infinitesimal jackknife (Jaeckel 1972; Efron 1981), to first order what a bootstrap estimates.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipelines.statistics.bootstrap import Interval

_Z = 1.959964


def share(hits: int, n: int) -> Interval:
    """hits / n with Wilson's interval; NaN for n = 0."""
    if not n:
        return Interval(math.nan, math.nan, math.nan)
    p, z2 = hits / n, _Z**2 / n
    middle = (p + z2 / 2) / (1 + z2)
    half = _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2)
    return Interval(p, max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half)))


def from_influence(
    value: float, influence: NDArray[np.float64], least: float = 0.0, most: float = math.inf
) -> Interval:
    """A score and the influence (n,) of each molecule on it, up to a constant.

    The bounds are cut at `least` and `most`; they are NaN for fewer than two molecules.
    """
    n = len(influence)
    if n < 2 or not math.isfinite(value) or not np.isfinite(influence).all():
        return Interval(value, math.nan, math.nan)
    half = _Z * float(np.std(influence, ddof=1)) / math.sqrt(n)
    return Interval(
        value, max(value - half, min(least, value)), min(value + half, max(most, value))
    )


def mean(values: NDArray[np.float64]) -> Interval:
    """The mean of one number of each molecule."""
    return from_influence(float(values.mean()) if len(values) else math.nan, values)
