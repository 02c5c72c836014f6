"""Scores of the model and of baselines on the same test spectra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from pipelines.core.artifacts import read_csv, read_json, write_csv, write_json
from pipelines.core.contract import SCORE_COLUMNS, THIS_RUN
from pipelines.core.runner import Inputs
from pipelines.statistics import Interval, interval, paired

from ..prepare.generate import optimal_estimate
from ..prepare.reading import read_split
from .params import EvaluateParams


def mean_of(errors: np.ndarray) -> np.ndarray:
    """Mean over the last axis."""
    return errors.mean(-1)


def write_scores(params: EvaluateParams, inputs: Inputs, out: Path) -> None:
    """Mean absolute errors in mmol/l, with bootstrap intervals over spectra."""
    test = read_csv(inputs.predict / "predictions.csv").query("split == 'test'")
    truth = test["concentration"].to_numpy()
    errors = {"model": np.abs(test["predicted"].to_numpy() - truth)}
    predictions, rules = _baselines(inputs.prepare)
    for name, predicted in predictions.items():
        errors[name] = np.abs(predicted - truth)
    rows = []
    for name, error in errors.items():
        rows.append(_row(name, interval(mean_of, error, seed=params.seed), len(error)))
    for name in list(errors)[1:]:
        difference = paired(mean_of, (errors["model"],), (errors[name],), seed=params.seed)
        rows.append(_row(f"model - {name}", difference, len(truth)))
    write_csv(out / "scores.csv", pd.DataFrame(rows, columns=SCORE_COLUMNS))
    write_json(out / "metrics.json", {"mae": rows[0]["value"]})
    write_json(out / "baselines.json", rules)
    write_csv(out / "curves" / "error_by_concentration.csv", _curve(truth, errors))


def _baselines(prepared: Path) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Predictions of the training mean, of ridge regression, and of the best there can be.

    Also what was chosen for them, by leaving out one training spectrum after the other.
    """
    spectra, concentrations = read_split(prepared, "train")
    test_spectra, _ = read_split(prepared, "test")
    ridge = RidgeCV(alphas=np.logspace(-4, 2, 13)).fit(spectra, concentrations)
    mean = np.full(len(test_spectra), concentrations.mean())
    noise = read_json(prepared / "optimum.json")["noise"]
    predictions = {
        "training_mean": mean,
        "ridge": ridge.predict(test_spectra),
        "bayes_optimal": optimal_estimate(test_spectra, noise),
    }
    return predictions, {"ridge": {"alpha": ridge.alpha_}}


def _row(name: str, score: Interval, count: int) -> dict[str, object]:
    columns = {"row": name, "metric": "mae", "group": "all", "n": count, "source": THIS_RUN}
    return {**columns, **score._asdict()}


def _curve(truth: np.ndarray, errors: dict[str, np.ndarray]) -> pd.DataFrame:
    """Mean absolute error in fifths of the test spectra, by concentration."""
    fifths = np.array_split(np.argsort(truth, kind="stable"), 5)
    columns = {"concentration_mmol_per_l": [truth[part].mean() for part in fifths]}
    for name, error in errors.items():
        columns[name] = [error[part].mean() for part in fifths]
    return pd.DataFrame(columns)
