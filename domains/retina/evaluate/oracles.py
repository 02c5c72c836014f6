"""Bounds for a generated cohort: readers who know what no photograph shows exactly.

They know the anatomy and nothing of the camera. Where a false cue is planted in its colour they
are no bounds, and are not called so.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from scipy.stats import norm

from pipelines.core.artifacts import read_csv, read_json

from ..prepare.arrays import Eyes, read_anatomy
from ..prepare.cohort import read_cohort
from .answers import by_patient
from .baselines import regression_answers

ANATOMY, BAYES = "oracle, regression on true anatomy", "bayes"
_NO_CUE = "without the false cue, "  # before these names


def oracle_answers(folder: Path, eyes: Eyes, level: float) -> dict[str, pd.DataFrame]:
    """Answers by regression on the true anatomy and by the generator's posterior; {} if unknown.

    level: of their prediction intervals.
    """
    anatomy = read_anatomy(folder)
    if anatomy is None:
        return {}
    features = list(read_json(folder / "effects.json")["slopes"])
    table, _ = regression_answers(eyes, anatomy[features].to_numpy(float), level)
    cohort = read_cohort(folder)
    cue = _NO_CUE if cohort is not None and cohort.shortcut else ""
    return {cue + ANATOMY: table, cue + BAYES: _bayes(folder, eyes, level)}


def _bayes(folder: Path, eyes: Eyes, level: float) -> pd.DataFrame:
    """The posterior of a reader who knows the generator and measures without error."""
    posterior = read_csv(folder / "bayes.csv", text=("patient",)).set_index("patient")
    table = by_patient(eyes).join(posterior.drop(columns="split"))
    half_width = norm.ppf((1 + level) / 2)  # deviations, of a normal distribution
    for target in eyes.targets:
        if target.kind == "value":
            middle, spread = (table[f"{target.name}_{part}"] for part in ("mean", "sd"))
            table[f"{target.name}_low"] = middle - half_width * spread
            table[f"{target.name}_high"] = middle + half_width * spread
    return table
