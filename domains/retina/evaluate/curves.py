"""Curves for `dvc plots` and the report: read against true, errors by what is answered, ROC."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..prepare.arrays import Eyes, Target
from .answers import WITHOUT_ABSTAINING, Answers, by_patient
from .oracles import BAYES

_BINS = 10
_FEWEST = 5  # patients of a bin, or that are answered


def curves(answers: Mapping[str, Answers], eyes: Eyes) -> dict[str, pd.DataFrame]:
    """File name to table; answers: of each target by its name.

    Abstention is judged on all patients, those too of whom the model says nothing.
    """
    found = {}
    blur = by_patient(eyes, {"blur": eyes.table["blur"].to_numpy()})["blur"]
    for target in eyes.targets:
        name, others = target.name, answers[target.name].others
        model = answers[name].model["model"]
        if target.kind == "value":
            everybody = answers[name].model.get(WITHOUT_ABSTAINING, model)
            tables = {"model": model, **{k: others[k] for k in (BAYES,) if k in others}}
            x = _in_words(f"true_{name}", target.unit)
            found[f"mean_{name}_read_by_true_{name}"] = read_by_true(tables, target, x)
            blurred = blur.loc[everybody["patient"]].to_numpy()
            found[f"{name}_mae_by_share_answered"] = abstention(everybody, target, blurred)
        else:
            found[f"{name}_roc_by_false_positive_rate"] = roc({"model": model, **others}, target)
    return {name: table for name, table in found.items() if len(table)}


def read_by_true(tables: Mapping[str, pd.DataFrame], target: Target, x: str) -> pd.DataFrame:
    """Mean reading of patients in ten bins of equal size of the true value, ± 1.96 errors."""
    name = target.name
    truth = next(iter(tables.values()))[name].to_numpy(float)
    order = np.argsort(truth, kind="stable")[: np.isfinite(truth).sum()]
    bins = np.array_split(order, max(1, min(_BINS, len(order) // _FEWEST)))
    if not len(order):
        return pd.DataFrame()
    centres = np.array([truth[b].mean() for b in bins])
    columns = {x: centres}
    for row, table in tables.items():
        said = table[f"{name}_mean"].to_numpy(float)
        mean = np.array([said[b].mean() for b in bins])
        error = np.array([1.96 * said[b].std(ddof=1) / len(b) ** 0.5 for b in bins])
        columns |= {row: mean, f"{row}_low": mean - error, f"{row}_high": mean + error}
    return pd.DataFrame(columns | {"ideal": centres})


def abstention(model: pd.DataFrame, target: Target, blur: np.ndarray) -> pd.DataFrame:
    """Mean absolute error if only a share of the patients is answered, the best ones first.

    The best are those of whom the model is surest (smallest predicted deviation), or those with
    the sharpest photographs; by chance the error is that of all.
    """
    name = target.name
    wrong = (model[f"{name}_mean"] - model[name]).abs().to_numpy(float)
    known = np.isfinite(wrong)
    wrong, count = wrong[known], int(known.sum())
    if count < _FEWEST:
        return pd.DataFrame()
    kept = np.unique(np.linspace(max(_FEWEST, count // 10), count, 19).round().astype(int))
    columns: dict[str, np.ndarray] = {"share_answered": kept / count}
    doubts = {"surest first": model[f"{name}_sd"].to_numpy(float), "sharpest first": blur}
    for row, doubt in doubts.items():
        order = np.argsort(doubt[known], kind="stable")
        columns[row] = (np.cumsum(wrong[order]) / np.arange(1, count + 1))[kept - 1]
    return pd.DataFrame(columns | {"chance": np.full(len(kept), wrong.mean())})


def roc(tables: Mapping[str, pd.DataFrame], target: Target) -> pd.DataFrame:
    """True positive rate at 51 false positive rates, of each method that is no constant."""
    grid = np.linspace(0, 1, 51)
    columns = {"false_positive_rate": grid}
    for row, table in tables.items():
        pair = table[[target.name, f"{target.name}_probability"]].dropna().to_numpy(float)
        if 0 < pair[:, 0].sum() < len(pair) and len(np.unique(pair[:, 1])) > 1:
            columns[row] = _roc_of(*pair.T, grid)
    return pd.DataFrame(columns | {"chance": grid}) if "model" in columns else pd.DataFrame()


def _roc_of(truth: np.ndarray, said: np.ndarray, grid: np.ndarray) -> np.ndarray:
    order = np.argsort(-said, kind="stable")
    last = np.flatnonzero(np.diff(said[order], append=-np.inf))  # of each group of ties
    positive = np.cumsum(truth[order])[last]
    negative = np.cumsum(1 - truth[order])[last]
    rates = (np.concatenate([[0], c / c[-1]]) for c in (negative, positive))
    return np.interp(grid, *rates)


def _in_words(name: str, unit: str) -> str:
    return f"{name}_{unit.lower()}" if re.fullmatch("[A-Za-z]+", unit) else name
