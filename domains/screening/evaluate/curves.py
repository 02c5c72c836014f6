"""Curves for `dvc plots` and the report, with 95 % bootstrap bands of the model and the forest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from pipelines.core.contract import FEWEST_GROUPS
from pipelines.statistics.bootstrap import edges
from pipelines.statistics.resampling import draws

from ..prepare.arrays import Target
from .baselines import FOREST
from .measures import BINS, Rows, bins_of, rows_of, wanted
from .scores import MODEL

DRAWS = 1000  # of the bands
_GRID = np.linspace(0, 1, 51)
_SHARES = np.concatenate([np.linspace(0, 0.1, 21), np.linspace(0.125, 1, 36)])
_BANDED = (MODEL, FOREST)

Columns = dict[str, np.ndarray]
Curve = Callable[[Rows, np.ndarray], np.ndarray]  # rows and their weights (n,) to heights (x,)


def curves(
    answers: Mapping[str, pd.DataFrame], targets: list[Target], seed: int
) -> dict[str, pd.DataFrame]:
    """File name to table; with several targets the name begins with the target's.

    answers: of the same test molecules, line by line, as `score_table` takes them.
    """
    found = {}
    for target in targets:
        rows = {name: rows_of(table, target) for name, table in answers.items()}
        prefix = f"{target.name}_" if len(targets) > 1 else ""
        similarity = answers[MODEL].dropna(subset=target.name)["similarity"].to_numpy(float)
        for name, table in _of_target(rows, target, similarity, seed):
            found[prefix + name] = pd.DataFrame(table)
    return found


def _of_target(
    rows: dict[str, Rows], target: Target, similarity: np.ndarray, seed: int
) -> Iterator[tuple[str, Columns]]:
    truth = rows[MODEL].truth
    if len(truth) < BINS or (target.kind == "class" and len(set(truth)) < 2):
        return
    near = bins_of(similarity)
    middle = {"tanimoto_similarity": _means(near, similarity, np.ones(len(near)))}
    if target.kind == "value":
        yield "observed_by_predicted_value", _reliability(rows[MODEL], "predicted_value", seed)
        yield "mae_by_similarity", _table(middle, rows, _error(near, abs), seed)
        return
    table = _table({"false_positive_rate": _GRID}, rows, roc, seed) | {"chance": _GRID}
    yield "roc_by_false_positive_rate", table
    first = {name: wanted(of_method, target) for name, of_method in rows.items()}
    level = {"chance": np.full(len(_GRID), first[MODEL].truth.mean())}
    yield "precision_by_recall", _table({"recall": _GRID}, first, precision, seed) | level
    table = _table({"library_screened": _SHARES}, first, enrichment, seed) | {"chance": _SHARES}
    yield "share_of_wanted_found_by_library_screened", table
    table = _reliability(rows[MODEL], "predicted_probability", seed)
    yield "reliability_by_predicted_probability", table
    yield "brier_by_similarity", _table(middle, rows, _error(near, np.square), seed)


def _reliability(rows: Rows, x: str, seed: int) -> Columns:
    """Mean truth in bins of equally many molecules, by what is predicted of them on average."""
    bins = bins_of(rows.score)
    ideal = _means(bins, rows.score, np.ones(len(bins)))

    def observed(rows: Rows, weights: np.ndarray) -> np.ndarray:
        return _means(bins, rows.truth, weights)

    table = _table({x: ideal}, {MODEL: rows}, observed, seed)
    table = {name.replace(MODEL, "observed_mean"): column for name, column in table.items()}
    return table | {"ideal": ideal}


def _table(x: Columns, rows: dict[str, Rows], curve: Curve, seed: int) -> Columns:
    """x, then the heights of each method; `_low` and `_high` beside those of _BANDED.

    A draw in which all molecules are of one class has no curve.
    """
    columns = dict(x)
    for name, of_method in rows.items():
        columns[name] = curve(of_method, np.ones(len(of_method)))
        groups = int(of_method.group.max()) + 1
        if name in _BANDED and groups >= FEWEST_GROUPS:
            drawn = [
                curve(of_method, weights[of_method.group])
                for block in draws(groups, DRAWS, seed)
                for weights in block
                if len(set(of_method.truth[weights[of_method.group] > 0])) > 1
            ]
            tails = norm.cdf(edges(groups))
            columns[f"{name}_low"], columns[f"{name}_high"] = np.nanquantile(drawn, tails, axis=0)
    return columns


def roc(rows: Rows, weights: np.ndarray) -> np.ndarray:
    """True positive rate at the false positive rates of the grid."""
    positive, negative = _listed(rows, weights)
    return np.interp(_GRID, negative / negative[-1], positive / positive[-1])


def precision(rows: Rows, weights: np.ndarray) -> np.ndarray:
    """Precision at the recalls of the grid: of the shortest list that has this recall."""
    positive, negative = _listed(rows, weights)
    at = np.searchsorted(positive / positive[-1], np.maximum(_GRID, 1e-9) - 1e-12)
    return positive[at] / (positive + negative)[at]


def enrichment(rows: Rows, weights: np.ndarray) -> np.ndarray:
    """Share of the positives that are found in the best share of the list."""
    positive, negative = _listed(rows, weights)
    listed = positive + negative
    return np.interp(_SHARES, listed / listed[-1], positive / positive[-1])


def _listed(rows: Rows, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positives and negatives down to the end of each block of equal scores, from 0 on."""
    order = np.argsort(-rows.score, kind="stable")
    last = np.flatnonzero(np.diff(rows.score[order], append=np.nan))
    truth, weights = rows.truth[order], weights[order]
    sums = (np.cumsum(weights * label)[last] for label in (truth, 1 - truth))
    positive, negative = (np.concatenate([[0.0], part]) for part in sums)
    return positive, negative


def _error(bins: np.ndarray, size: Callable[[np.ndarray], np.ndarray]) -> Curve:
    return lambda rows, weights: _means(bins, size(rows.score - rows.truth), weights)


def _means(bins: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean value of each bin that there is; NaN where a draw has nothing in it."""
    there = np.unique(bins)
    sums, counts = (np.bincount(bins, w, BINS)[there] for w in (values * weights, weights))
    return np.divide(sums, counts, out=np.full(len(there), np.nan), where=counts > 0)
