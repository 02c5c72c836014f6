"""What is measured of each target, as functions of the weight that each molecule has.

A weight is how often a molecule is drawn by the bootstrap: k means k copies. Molecules with equal
scores have no order; where the order matters, the mean over all their orders is taken.

Classes (p: score, y: 0 or 1, N molecules of which n are positive, R = n/N):
roc_auc             area under the ROC curve, ties counted half (Mann and Whitney)
Of a target of which the low end is wanted, the positives of the next four are its zeros.
average_precision   Σ (recall_k − recall_(k−1)) · precision_k over the distinct scores
enrichment_1, _5    share of positives in the best 1 % or 5 % of the list, over R; the number of
                    molecules is rounded up; at most 1/R
bedroc              Boltzmann-enhanced discrimination of ROC, α = 20: four fifths of the score come
                    from the best 8 % of the list (Truchon and Bayly 2007, equation 36)
brier               mean of (p − y)² (Brier 1950)
calibration_error   mean of |mean p − mean y| over ten bins of equally many molecules, the edges
                    those of the whole set (expected calibration error, Naeini et al. 2015); chance
                    alone makes it more than 0, and each draw of a bootstrap more so, so that it has
                    no interval and no paired difference
Values (y true, p predicted):
rmse, mae           root of the mean squared error, mean absolute error, in the target's unit
r2                  1 − Σ(y − p)² / Σ(y − ȳ)², against the mean of the same test molecules
coverage            share of true values inside the interval
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..prepare.arrays import Target

ALPHA = 20.0  # of BEDROC
BINS = 10  # of the calibration error
FRACTIONS = {"enrichment_1": 0.01, "enrichment_5": 0.05}
EARLY = ("average_precision", *FRACTIONS, "bedroc")  # of what is wanted
OF_CLASS = ("roc_auc", *EARLY, "brier", "calibration_error")
OF_VALUE = ("rmse", "mae", "r2", "coverage")
COMPARED = (*OF_CLASS[:-1], *OF_VALUE[:3])  # of which paired differences are given
IN_GROUPS = ("roc_auc", "average_precision", "brier", "rmse", "mae", "coverage")


@dataclass(frozen=True)
class Rows:
    """The molecules of which truth and score of one target are known.

    group: (n,) number of the group that each belongs to; the rest (n,) each.
    """

    group: np.ndarray
    truth: np.ndarray
    score: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)


def rows_of(table: pd.DataFrame, target: Target) -> Rows:
    """The molecules of `table` (columns as in predictions.csv) that have a label."""
    parts = [target.name, *(f"{target.name}_{part}" for part in ("score", "low", "high"))]
    known = table.dropna(subset=parts[:2])
    codes = pd.factorize(known["group"])[0]
    return Rows(codes, *known[parts].to_numpy(float).T)


def measure(rows: Rows, target: Target, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each metric under each row of weights (w, groups): arrays (w,), NaN where undefined."""
    share = weights[:, rows.group]
    if target.kind == "value":
        return _of_value(rows, share)
    found = _of_class(rows, share)
    if target.better == "low":
        early = _ranked(wanted(rows, target), share)
        found |= {name: early[name] for name in EARLY}
    return found


def wanted(rows: Rows, target: Target) -> Rows:
    """The same molecules, of which those are positive that a ranking is to have first."""
    if target.better == "high":
        return rows
    truth, score, low, high = (1 - part for part in (rows.truth, rows.score, rows.high, rows.low))
    return Rows(rows.group, truth, score, low, high)


def _of_value(rows: Rows, share: np.ndarray) -> dict[str, np.ndarray]:
    total = share.sum(axis=1)
    centred = rows.truth - rows.truth.mean()  # for the sake of the sums' precision
    square, off = (rows.score - rows.truth) ** 2, abs(rows.score - rows.truth)
    inside = (rows.low <= rows.truth) & (rows.truth <= rows.high)
    squares = share @ centred**2
    spread = squares - _ratio((share @ centred) ** 2, total)
    return {
        "rmse": np.sqrt(_ratio(share @ square, total)),
        "mae": _ratio(share @ off, total),
        "r2": 1 - _ratio(share @ square, np.where(spread > 1e-9 * squares, spread, 0)),
        "coverage": _ratio(share @ inside, total),
    }


def _of_class(rows: Rows, share: np.ndarray) -> dict[str, np.ndarray]:
    brier = _ratio(share @ (rows.score - rows.truth) ** 2, share.sum(axis=1))
    found = _ranked(rows, share)
    return {**found, "brier": brier, "calibration_error": _calibration_error(rows, share)}


def _ranked(rows: Rows, share: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics that depend on the order alone, from sums over each block of equal scores."""
    order = np.argsort(-rows.score, kind="stable")
    first = np.flatnonzero(np.diff(rows.score[order], prepend=np.nan))
    share = share[:, order]
    size = np.add.reduceat(share, first, axis=1)
    positive = np.add.reduceat(share * rows.truth[order], first, axis=1)
    listed, found = np.cumsum(size, axis=1), np.cumsum(positive, axis=1)
    total, actives = listed[:, -1], found[:, -1]
    negative = size - positive
    above = found - positive / 2  # positives before a negative of the block
    found_by = {
        "roc_auc": _ratio((negative * above).sum(axis=1), actives * (total - actives)),
        "average_precision": _ratio((positive * _ratio(found, listed, 0.0)).sum(axis=1), actives),
    }
    for name, fraction in FRACTIONS.items():
        best = np.ceil(fraction * total - 1e-9)
        hits = _found_among(best, listed, size, positive)
        found_by[name] = _ratio(_ratio(hits, best), _ratio(actives, total))
    return found_by | {"bedroc": _bedroc(listed, size, positive)}


def _found_among(
    best: np.ndarray, listed: np.ndarray, size: np.ndarray, positive: np.ndarray
) -> np.ndarray:
    """(w,) expected positives among the `best` (w,) first, any order within a block of ties."""
    taken = np.clip(best[:, None] - (listed - size), 0, size)
    return (taken * _ratio(positive, size, 0.0)).sum(axis=1)


def _bedroc(listed: np.ndarray, size: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Equation 36, with the sum over the ranks of a block of ties as a geometric series."""
    total, actives = listed[:, -1:], positive.sum(axis=1)
    after = np.exp(-ALPHA * _ratio(listed, total))
    before = np.exp(-ALPHA * _ratio(listed - size, total))
    ratio = _ratio(actives, total[:, 0])
    weighted = (_ratio(positive, size, 0.0) * (before - after)).sum(axis=1)
    rie = _ratio(weighted, ratio) / (1 - np.exp(-ALPHA))
    half = ALPHA / 2
    with np.errstate(divide="ignore", invalid="ignore"):  # of one class only: there is no score
        scale = ratio * np.sinh(half) / (np.cosh(half) - np.cosh(half - ALPHA * ratio))
        least = 1 / (1 - np.exp(ALPHA * (1 - ratio)))
        return np.where(ratio < 1, rie * scale + least, np.nan)


def _calibration_error(rows: Rows, share: np.ndarray) -> np.ndarray:
    inside = bins_of(rows.score)[:, None] == np.arange(BINS)
    apart = share @ (inside * (rows.score - rows.truth)[:, None])
    return _ratio(abs(apart).sum(axis=1), share.sum(axis=1))


def bins_of(score: np.ndarray) -> np.ndarray:
    """(n,) number of each score's bin, 0 to BINS − 1; equal scores are in one bin."""
    edges = np.quantile(score, np.arange(1, BINS) / BINS)
    return np.searchsorted(edges, score, side="right")


def _ratio(above: np.ndarray, below: np.ndarray, empty: float = np.nan) -> np.ndarray:
    """above / below, `empty` where there is nothing to divide by."""
    shape = np.broadcast_shapes(np.shape(above), np.shape(below))
    return np.divide(above, below, out=np.full(shape, empty), where=below > 0)
