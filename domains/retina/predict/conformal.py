"""Prediction intervals that keep their promise whatever the network is (Vovk 2005; Lei 2018)."""

import math

import numpy as np
import pandas as pd

from ..prepare.arrays import Target

Quantiles = dict[str, float]


def conformal_quantile(scores: np.ndarray, coverage: float) -> float:
    """The ⌈(n + 1) · coverage⌉-th smallest of n scores, the largest if n is too small.

    A new score that is exchangeable with these is not above it with probability `coverage`.
    Raises ValueError if there is none.
    """
    scores = np.sort(scores[~np.isnan(scores)])
    if not len(scores):
        raise ValueError("no score to calibrate on")
    return float(scores[min(math.ceil((len(scores) + 1) * coverage), len(scores)) - 1])


def calibrated(table: pd.DataFrame, targets: list[Target], coverage: float) -> Quantiles:
    """For each value target the quantile of |true − mean| / sd over the table's rows.

    A target that is known of no row gets a Gaussian's quantile.
    """
    found = {}
    for name in values_of(targets):
        scores = ((table[name] - table[f"{name}_mean"]).abs() / table[f"{name}_sd"]).to_numpy()
        known = scores[~np.isnan(scores)]
        gaussian = math.sqrt(2) * _inverse_erf(coverage)
        found[name] = conformal_quantile(known, coverage) if len(known) else gaussian
    return found


def with_intervals(table: pd.DataFrame, targets: list[Target], by: Quantiles) -> pd.DataFrame:
    """The table with `<t>_low` and `<t>_high` = mean ∓ quantile · sd after each `<t>_sd`."""
    table = table.copy()
    for name in values_of(targets):
        mean, half = table[f"{name}_mean"], by[name] * table[f"{name}_sd"]
        place = table.columns.get_loc(f"{name}_sd")
        table.insert(place + 1, f"{name}_low", mean - half)
        table.insert(place + 2, f"{name}_high", mean + half)
    return table


def values_of(targets: list[Target]) -> list[str]:
    """The names of those targets that are values."""
    return [target.name for target in targets if target.kind == "value"]


def _inverse_erf(x: float) -> float:
    from scipy.special import erfinv

    return float(erfinv(x))
