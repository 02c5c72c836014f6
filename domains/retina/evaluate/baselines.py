"""What can be had without a network: the mean, and a ridge regression on colour and texture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge

from ..prepare.arrays import Eyes, Target
from .answers import averaged, by_patient, with_intervals

MEAN, RIDGE = "mean", "ridge on colours"
STRENGTHS = tuple(10.0**k for k in range(-3, 6))

Fitted = Callable[[np.ndarray], np.ndarray]


def baseline_answers(
    eyes: Eyes, features: np.ndarray, level: float
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Answers of each baseline for every patient, and the strengths chosen on validation.

    features: as `colour_features` gives them of each eye; level: of their prediction intervals.
    """
    ridge, rules = regression_answers(eyes, features, level)
    return {MEAN: mean_answers(eyes, level), RIDGE: ridge}, {RIDGE: rules}


def mean_answers(eyes: Eyes, level: float) -> pd.DataFrame:
    """The mean of the training patients, or their share of positives, for everybody."""
    table = by_patient(eyes)
    learnt = table[table["split"] == "train"]
    for target in eyes.targets:
        column = "mean" if target.kind == "value" else "probability"
        table[f"{target.name}_{column}"] = learnt[target.name].mean()
        if target.kind == "value":
            table = with_intervals(table, target, level)
    return table


def regression_answers(
    eyes: Eyes, features: np.ndarray, level: float
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Linear and logistic regression with an L2 penalty, a patient's eyes averaged.

    features: (n, k), one line for each eye. Learnt on training eyes; the strength of the penalty
    is the one with the least squared error of the averages over the validation patients, answers
    are kept within the range of training.
    """
    train = (eyes.table["split"] == "train").to_numpy() & eyes.table["usable"].to_numpy()
    scale = np.maximum(features[train].std(axis=0), 1e-9)
    scaled = np.clip((features - features[train].mean(axis=0)) / scale, -5, 5)
    table, strengths = by_patient(eyes), {}
    for target in eyes.targets:
        truth = eyes.table[target.name].to_numpy(float)
        known = train & np.isfinite(truth)
        column = f"{target.name}_{'mean' if target.kind == 'value' else 'probability'}"
        best = np.inf
        for strength in STRENGTHS:
            said = _fitted(target, scaled[known], truth[known], strength)(scaled)
            mean = averaged(eyes, {column: said})[column]
            wrong = (mean - table[target.name])[table["split"] == "validation"]
            error = float((wrong**2).mean())
            if error < best or column not in table:
                best, strengths[target.name] = error, strength
                table[column] = mean
        if target.kind == "value":
            table = with_intervals(table, target, level)
    return table, strengths


def _fitted(target: Target, features: np.ndarray, truth: np.ndarray, strength: float) -> Fitted:
    """The regression as a function of features (n, k); a constant where all of `truth` is alike."""
    if len(truth) == 0 or truth.min() == truth.max():
        level = truth[0] if len(truth) else 0.0
        return lambda x: np.full(len(x), level)
    if target.kind == "binary":
        model = LogisticRegression(C=1 / strength, max_iter=1000).fit(features, truth)
        return lambda x: model.predict_proba(x)[:, 1]
    ridge = Ridge(alpha=strength).fit(features, truth)
    return lambda x: np.clip(ridge.predict(x), truth.min(), truth.max())
