"""What a method says of each held-out molecule, as a table like predict's predictions.csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_csv

from ..predict.calibrate import Calibration, fit_rules
from ..prepare.arrays import Target

_EDGE = 1e-3  # forests say 0 and 1, which have no logit


def read_predictions(folder: Path) -> pd.DataFrame:
    """The model's answers about the molecules of validation and test."""
    table = read_csv(folder / "predictions.csv", text=("split", "smiles", "group"))
    return table.astype({"inside": bool})


def calibrated(
    table: pd.DataFrame, targets: list[Target], said: np.ndarray, level: float
) -> pd.DataFrame:
    """The table with a method's answers instead of those that it has.

    As the model's they are calibrated on validation, classes by a logistic curve and values by
    conformal intervals, of one width for all. said: (n, T) probabilities of classes, or values;
    level: of the intervals.
    """
    classes = [target.kind == "class" for target in targets]
    within = _EDGE + (1 - 2 * _EDGE) * said[:, classes]  # rises strictly: no new ties
    one = said.copy()
    one[:, classes] = np.log(within / (1 - within))
    rules = fit_rules("platt", level, targets, table, one[None])
    found = Calibration(level, inside=0.0, targets=rules)  # `inside` stays the table's
    return table.assign(**found.answers(one[None], targets))


def averaged(table: pd.DataFrame, other: pd.DataFrame, targets: list[Target]) -> pd.DataFrame:
    """The table with the mean of both tables' answers; the interval of a value is the mean too."""
    names = [f"{t.name}_{part}" for t in targets for part in ("score", "low", "high")]
    return table.assign(**{name: (table[name] + other[name]) / 2 for name in names})
