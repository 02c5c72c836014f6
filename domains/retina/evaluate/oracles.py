"""Bounds for a generated cohort: readers who know what no photograph shows exactly."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipelines.core.artifacts import read_csv, read_json

from ..prepare.arrays import Eyes, read_anatomy
from .answers import by_patient
from .baselines import regression_answers

ANATOMY, BAYES = "oracle, regression on true anatomy", "bayes"
_HALF_WIDTH = 1.6449  # deviations on either side of a normal distribution's middle 90 %


def oracle_answers(folder: Path, eyes: Eyes) -> dict[str, pd.DataFrame]:
    """Answers by regression on the true anatomy and by the generator's posterior; {} if unknown."""
    anatomy = read_anatomy(folder)
    if anatomy is None:
        return {}
    features = list(read_json(folder / "effects.json")["slopes"])
    table, _ = regression_answers(eyes, anatomy[features].to_numpy(float))
    return {ANATOMY: table, BAYES: _bayes(folder, eyes)}


def _bayes(folder: Path, eyes: Eyes) -> pd.DataFrame:
    """The posterior of a reader who knows the generator and measures without error."""
    posterior = read_csv(folder / "bayes.csv", text=("patient",)).set_index("patient")
    table = by_patient(eyes).join(posterior.drop(columns="split"))
    for target in eyes.targets:
        if target.kind == "value":
            middle, spread = (table[f"{target.name}_{part}"] for part in ("mean", "sd"))
            table[f"{target.name}_low"] = middle - _HALF_WIDTH * spread
            table[f"{target.name}_high"] = middle + _HALF_WIDTH * spread
    return table
