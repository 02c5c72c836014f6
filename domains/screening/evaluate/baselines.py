"""What can be had without a network, learnt from the same molecules and calibrated as the model is.

random forest       of Morgan counts (radius 2, 2,048 of them), classes balanced
linear              logistic or ridge regression on RDKit's descriptors, L2 penalty
nearest neighbour   mean label of the k most similar training molecules, weighted by similarity
mean                of the training values, for everybody, where values are told

The strength of the penalty and k are those with the least squared error on validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from pipelines.core.environment import environment

from ..prepare.arrays import Target, read_counts, read_descriptors, read_molecules
from .answers import calibrated

FOREST, LINEAR, NEAREST, MEAN = "random forest", "linear", "nearest neighbour", "mean"
STRENGTHS = tuple(10.0**k for k in range(-2, 5))
NEIGHBOURS = (1, 3, 5, 10)
_LIMIT = 5.0  # standard deviations: descriptors have outliers
_BLOCK = 1024

Rules = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Molecules:
    """Molecules of one target: `learnt` from (a labels), and those that are `asked` about (b).

    counts: (n, 2048) uint8 of a + b molecules, in that order; descriptors: (n, D), finite;
    checked: (b,) bool, labelled molecules of validation; expected: (b,) their labels.
    """

    counts: np.ndarray
    descriptors: np.ndarray
    labels: np.ndarray
    checked: np.ndarray
    expected: np.ndarray

    def best(self, candidates: Mapping[float, np.ndarray]) -> tuple[float, np.ndarray]:
        """The setting with the least squared error on validation, and its answers; the first of
        equally good ones, as where nothing of validation is labelled."""
        wrong = [
            np.square(said - self.expected)[self.checked].sum() for said in candidates.values()
        ]
        return list(candidates.items())[int(np.argmin(wrong))]


def baseline_answers(
    folder: Path, asked: pd.DataFrame, targets: list[Target], level: float, trees: int, seed: int
) -> tuple[dict[str, pd.DataFrame], Rules]:
    """Answers of each baseline, as tables like `asked`, and what was chosen on validation.

    folder: of prepare; asked: predictions.csv, which has all molecules of validation and test in
    the order of molecules.csv; level: of the prediction intervals of values.
    """
    counts, descriptors = read_counts(folder, "molecules"), read_descriptors(folder, "molecules")
    table = read_molecules(folder)
    said: dict[str, list[np.ndarray]] = {FOREST: [], LINEAR: [], NEAREST: [], MEAN: []}
    rules: Rules = {}
    for target in targets:
        known = _of_target(table, asked, counts, descriptors, target)
        strength, linear = known.best(_linear(known, target))
        k, nearest = known.best(_nearest(known))
        said[FOREST].append(_forest(known, target, trees, seed))
        said[LINEAR].append(linear)
        said[NEAREST].append(nearest)
        said[MEAN].append(np.full(len(asked), known.labels.mean()))
        rules[target.name] = {"linear: strength": strength, "nearest neighbour: k": k}
    if all(target.kind == "class" for target in targets):
        del said[MEAN]  # which ranks nothing
    tables = {
        name: calibrated(asked, targets, np.stack(columns, axis=1), level)
        for name, columns in said.items()
    }
    return tables, rules


def _of_target(
    table: pd.DataFrame,
    asked: pd.DataFrame,
    counts: np.ndarray,
    descriptors: np.ndarray,
    target: Target,
) -> Molecules:
    labelled, split = table[target.name].notna(), table["split"]
    learnt = np.flatnonzero((split == "train") & labelled)
    rows = np.concatenate([learnt, np.flatnonzero(split != "train")])
    expected = asked[target.name].to_numpy(float)
    return Molecules(
        counts[rows],
        _standardised(descriptors[rows].astype(float), len(learnt)),
        table[target.name].to_numpy(float)[learnt],
        (asked["split"] == "validation").to_numpy() & np.isfinite(expected),
        expected,
    )


def _standardised(descriptors: np.ndarray, learnt: int) -> np.ndarray:
    """By mean and deviation of the first `learnt` rows; what is missing gets their mean."""
    with np.errstate(invalid="ignore"):
        descriptors = np.where(np.isfinite(descriptors), descriptors, np.nan)
    known = np.isfinite(descriptors[:learnt]).any(axis=0)
    kept = descriptors[:, known]
    mean, spread = np.nanmean(kept[:learnt], axis=0), np.nanstd(kept[:learnt], axis=0)
    scaled = (kept - mean) / np.where(spread > 0, spread, np.inf)
    return np.clip(np.nan_to_num(scaled), -_LIMIT, _LIMIT)


def _forest(known: Molecules, target: Target, trees: int, seed: int) -> np.ndarray:
    options: dict[str, Any] = {"n_jobs": environment().threads, "random_state": seed}
    learnt = len(known.labels)
    counts = known.counts[:, known.counts[:learnt].any(axis=0)].astype(np.float32)
    if target.kind == "class":
        forest = RandomForestClassifier(trees, class_weight="balanced", **options)
    else:
        forest = RandomForestRegressor(trees, max_features=1 / 3, **options)
    forest.fit(counts[:learnt], known.labels)
    forest.n_jobs = 1  # threads would add up the trees in any order
    if target.kind == "class":
        return forest.predict_proba(counts[learnt:])[:, 1]
    return forest.predict(counts[learnt:])


def _linear(known: Molecules, target: Target) -> dict[float, np.ndarray]:
    """Answers by strength of the penalty; values are kept within the range of training."""
    learnt, labels, found = len(known.labels), known.labels, {}
    x, asked = known.descriptors[:learnt], known.descriptors[learnt:]
    for strength in STRENGTHS:
        if target.kind == "class":
            classifier = LogisticRegression(C=1 / strength, max_iter=1000).fit(x, labels)
            found[strength] = classifier.predict_proba(asked)[:, 1]
        else:
            ridge = Ridge(alpha=strength).fit(x, labels)
            found[strength] = np.clip(ridge.predict(asked), labels.min(), labels.max())
    return found


def _nearest(known: Molecules) -> dict[float, np.ndarray]:
    """Answers by the number of neighbours; the mean label where nothing is similar at all."""
    bits = (known.counts > 0).astype(np.float32)
    learnt, asked = bits[: len(known.labels)], bits[len(known.labels) :]
    most = min(max(NEIGHBOURS), len(learnt))
    parts = []
    for start in range(0, len(asked), _BLOCK):
        similar = tanimoto(asked[start : start + _BLOCK], learnt)
        best = np.argsort(-similar, axis=1, kind="stable")[:, :most]
        parts.append((np.take_along_axis(similar, best, axis=1), known.labels[best]))
    similar, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    found = {}
    for k in NEIGHBOURS:
        weight = similar[:, :k].sum(axis=1)
        agreed = (similar * labels)[:, :k].sum(axis=1)
        mean = np.full(len(weight), known.labels.mean())
        found[float(k)] = np.divide(agreed, weight, out=mean, where=weight > 0)
    return found


def tanimoto(bits: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n, m) similarities of fingerprints (n, bits) and (m, bits) of zeros and ones, float32."""
    common = (bits @ others.T).astype(float)
    union = bits.sum(axis=1)[:, None] + others.sum(axis=1) - common
    return np.divide(common, union, out=np.ones_like(common), where=union > 0)
