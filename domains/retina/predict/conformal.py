"""Prediction intervals that keep their promise whatever the network is, for high and low alike.

Conformal prediction (Vovk et al. 2005; Lei et al. 2018) keeps its promise over all eyes. Readings
regress to the mean, so that those of the young and the old err more than those in between, and
fall out of such intervals more often. Hence a quantile for each band of the true value
(label-conditional, Vovk et al. 2005, section 4.5), all at one level: the lowest at which the
intervals hold what is promised over all calibration rows. What is in between two accepted values
is accepted too, so that at the promised level itself they would hold more than that.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..prepare.arrays import Target

BANDS = 3
LEVELS = np.linspace(0, 1, 201)


@dataclass(frozen=True)
class Bands:
    """Quantiles of |true − mean| / sd: `quantiles[b]` of true values from edges[b − 1] to under
    edges[b], in the target's unit; the first and the last band are open."""

    edges: list[float]
    quantiles: list[float]

    def of(self, truth: np.ndarray) -> np.ndarray:
        """The number of each true value's band."""
        return np.searchsorted(self.edges, truth, side="right")

    def interval(self, mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest accepted value: of a band those y with |y − mean| ≤ quantile · sd.

        mean, sd: (n,). The mean is itself accepted, so that there is always one.
        """
        bounds = np.array([-np.inf, *self.edges, np.inf])[:, None]
        half = np.array(self.quantiles)[:, None] * sd
        low, high = np.maximum(mean - half, bounds[:-1]), np.minimum(mean + half, bounds[1:])
        empty = low > high
        return (
            np.where(empty, np.inf, low).min(axis=0),
            np.where(empty, -np.inf, high).max(axis=0),
        )


Quantiles = dict[str, Bands]


def conformal_quantile(scores: np.ndarray, coverage: float) -> float:
    """The ⌈(n + 1) · coverage⌉-th smallest of n scores, the largest if n is too small.

    A new score that is exchangeable with these is not above it with probability `coverage`.
    Raises ValueError if there is none.
    """
    scores = np.sort(scores[~np.isnan(scores)])
    if not len(scores):
        raise ValueError("no score to calibrate on")
    return float(scores[min(_rank(len(scores), coverage), len(scores)) - 1])


def calibrated(table: pd.DataFrame, targets: list[Target], coverage: float) -> Quantiles:
    """For each value target quantiles of |true − mean| / sd, one for each band of true values.

    The bands are terciles of the table's true values; one for all where a band has too few rows
    for its quantile to be one. A target that is known of no row gets a Gaussian's quantile.
    Numbers are as calibration.json keeps them, so that `apply` says the same as `predict`.
    """
    found = {}
    for name in values_of(targets):
        known = table[[name, f"{name}_mean", f"{name}_sd"]].dropna().to_numpy(float)
        if len(known):
            found[name] = _bands(*known.T, coverage)
        else:
            found[name] = Bands([], [_kept(norm.ppf((1 + coverage) / 2))])
    return found


def warn_of_few(table: pd.DataFrame, targets: list[Target], coverage: float) -> None:
    """Say on stderr which intervals will hold less than is promised."""
    for name in values_of(targets):
        count = int(table[name].notna().sum())
        if _rank(count, coverage) > count:
            print(
                f"warning: {name}: {count} validation patients are too few to calibrate intervals "
                f"that hold {coverage:.0%} of the true values; they will hold fewer",
                file=sys.stderr,
            )


def with_intervals(table: pd.DataFrame, targets: list[Target], by: Quantiles) -> pd.DataFrame:
    """The table with `<t>_low` and `<t>_high` after each `<t>_sd`."""
    table = table.copy()
    for name in values_of(targets):
        mean, sd = (table[f"{name}_{what}"].to_numpy(float) for what in ("mean", "sd"))
        low, high = by[name].interval(mean, sd)
        place = table.columns.get_loc(f"{name}_sd")
        table.insert(place + 1, f"{name}_low", low)
        table.insert(place + 2, f"{name}_high", high)
    return table


def values_of(targets: Sequence[Target]) -> list[str]:
    """The names of those targets that are values."""
    return [target.name for target in targets if target.kind == "value"]


def _bands(truth: np.ndarray, mean: np.ndarray, sd: np.ndarray, coverage: float) -> Bands:
    scores = np.abs(truth - mean) / sd
    edges = [_kept(e) for e in np.quantile(truth, np.arange(1, BANDS) / BANDS)]
    parts = [scores[Bands(edges, []).of(truth) == b] for b in range(BANDS)]
    if any(_rank(len(part), coverage) > len(part) for part in parts):
        return Bands([], [_kept(conformal_quantile(scores, coverage))])
    for level in LEVELS:
        quantiles = [_kept(np.quantile(part, level, method="higher")) for part in parts]
        low, high = Bands(edges, quantiles).interval(mean, sd)
        if ((low <= truth) & (truth <= high)).sum() >= _rank(len(truth), coverage):
            break
    return Bands(edges, quantiles)


def _rank(count: int, coverage: float) -> int:
    return math.ceil((count + 1) * coverage - 1e-9)  # 25 · 0.56 is 14


def _kept(number: float) -> float:
    return float(f"{number:.6g}")
