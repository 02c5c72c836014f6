"""What is measured of each target, as functions of the weight that each patient has.

Values (y true, m read, sums over photographs or patients):
mae, rmse     mean absolute error, root of the mean squared error, in the target's unit
bias          mean of m − y, in the target's unit
r2            1 − Σ(y − m)² / Σ(y − ȳ)², against the mean of the same test patients
slope         of the regression of y on m: 1 if a reading means what it says (calibration)
shrinkage     slope of the regression of m on y: below 1 by as much as readings regress to the mean
coverage      share of the true values inside the interval, which promises the share that predict's
              calibration.json says (model: in the thirds of the true values as evenly as
              that allows); width: its mean
Binary targets (p: probability of the positive answer):
auc           area under the ROC curve, ties counted half (Mann and Whitney)
brier         mean of (p − y)² (Brier 1950)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ..prepare.arrays import Target

COMPARED = ("mae", "rmse", "r2", "auc", "brier")  # of which paired differences are given
IN_GROUPS = ("mae", "bias", "coverage", "auc")  # which mean something in a part of the range


@dataclass(frozen=True)
class Rows:
    """The lines of one method that have truth and answer of one target.

    patient: (n,) number of each line's patient; the rest (n,) each, empty where not said.
    """

    patient: np.ndarray
    truth: np.ndarray
    said: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)


def rows_of(table: pd.DataFrame, target: Target, patients: dict[str, int]) -> Rows:
    """The lines of `table` (columns as in predict's tables) of these numbered patients."""
    name = target.name
    said = f"{name}_mean" if target.kind == "value" else f"{name}_probability"
    bounds = [f"{name}_low", f"{name}_high"]
    if target.kind == "binary" or bounds[0] not in table:
        bounds = []
    number = table["patient"].map(patients).to_numpy(float)
    columns = table[[name, said, *bounds]].to_numpy(float)
    known = np.isfinite(number) & np.isfinite(columns[:, :2]).all(axis=1)
    low, high = columns[known, 2:].T if bounds else np.empty((2, 0))
    return Rows(number[known].astype(int), *columns[known, :2].T, low, high)


def measure(rows: Rows, target: Target, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each metric under each row of weights (w, patients): arrays (w,), NaN where undefined."""
    if target.kind == "value":
        return _of_value(rows, weights)
    share = weights[:, rows.patient]
    brier = _ratio(share @ (rows.said - rows.truth) ** 2, share.sum(axis=1))
    return {"auc": _auc(rows, share), "brier": brier}


def _of_value(rows: Rows, weights: np.ndarray) -> dict[str, np.ndarray]:
    middle = rows.truth.mean() if len(rows) else 0.0  # for the sake of the sums' precision
    y, m = rows.truth - middle, rows.said - middle
    parts = [np.ones(len(rows)), y, m, y * y, m * m, y * m, abs(m - y), (m - y) ** 2]
    if len(rows.low):
        parts += [(rows.low <= rows.truth) & (rows.truth <= rows.high), rows.high - rows.low]
    add = partial(np.bincount, rows.patient, minlength=weights.shape[1])
    n, y, m, yy, mm, ym, off, square, *bounds = (weights @ np.stack([add(p) for p in parts], 1)).T
    spread_y, spread_m, both = (yy - _ratio(y * y, n), mm - _ratio(m * m, n), ym - _ratio(y * m, n))
    # What rounding leaves of a constant is no spread.
    spread_m = np.where(spread_m > 1e-9 * (mm + yy), spread_m, 0)
    spread_y = np.where(spread_y > 1e-9 * yy, spread_y, 0)
    found = {
        "mae": _ratio(off, n),
        "rmse": np.sqrt(_ratio(square, n)),
        "bias": _ratio(m - y, n),
        "r2": 1 - _ratio(square, spread_y),
        "slope": _ratio(both, spread_m),
        "shrinkage": _ratio(both, spread_y),
    }
    return found | {k: _ratio(b, n) for k, b in zip(("coverage", "width"), bounds, strict=False)}


def _auc(rows: Rows, share: np.ndarray) -> np.ndarray:
    """Weighted Mann–Whitney statistic; share: (w, lines) weight of each line."""
    if not len(rows):
        return np.full(len(share), np.nan)
    order = np.argsort(rows.said, kind="stable")
    first = np.flatnonzero(np.diff(rows.said[order], prepend=-np.inf))  # of each group of ties
    truth, share = rows.truth[order], share[:, order]
    positive = np.add.reduceat(share * truth, first, axis=1)
    negative = np.add.reduceat(share * (1 - truth), first, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    return _ratio((positive * below).sum(1), positive.sum(1) * negative.sum(1))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)
