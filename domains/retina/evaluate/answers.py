"""What a method says of each patient, always as a table in the form of predict's patients.csv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_csv

from ..predict.conformal import conformal_quantile
from ..predict.tables import patient_truth
from ..prepare.arrays import Eyes, Target

WITHOUT_ABSTAINING = "model, without abstaining"
_TEXT = ("patient", "eye", "image")


def read_answers(folder: Path, targets: Sequence[Target]) -> dict[str, pd.DataFrame]:
    """The model's answers on the test set: per patient, per eye, and with what it abstained from.

    `model` has the patients with at least one photograph that the model did not refuse.
    """
    patients, eyes = (_tested(folder / f"{name}.csv") for name in ("patients", "eyes"))
    refused = patients["abstained"].to_numpy()
    # A test set of which nothing can be answered is scored all the same.
    answered = patients[~refused].reset_index(drop=True) if not refused.all() else patients
    found = {"model": answered, "model, per eye": eyes[~eyes["abstained"]].reset_index(drop=True)}
    if refused.any() and not refused.all():
        found[WITHOUT_ABSTAINING] = patients
    return found


def _tested(path: Path) -> pd.DataFrame:
    table = read_csv(path, text=_TEXT)
    return table[table["split"] == "test"].astype({"abstained": bool}).reset_index(drop=True)


def by_patient(eyes: Eyes, said: dict[str, np.ndarray] | None = None) -> pd.DataFrame:
    """One line a patient, indexed by it: split, columns `said` averaged, truth of the targets.

    said: columns of numbers, one for each eye.
    """
    return averaged(eyes, said or {}).join(patient_truth(eyes.table, eyes.targets))


def averaged(eyes: Eyes, said: dict[str, np.ndarray]) -> pd.DataFrame:
    """The same without the truth. The mean is over a patient's usable eyes, or over all of them
    where none is."""
    table = eyes.table[["split", "patient", "usable"]].assign(**said)
    best = table.groupby("patient")["usable"].transform("max")
    kept = table[table["usable"] == best].drop(columns="usable")
    return kept.groupby("patient", sort=False).agg(
        {"split": "first", **dict.fromkeys(said, "mean")}
    )


def with_intervals(table: pd.DataFrame, target: Target, level: float) -> pd.DataFrame:
    """Add the columns `low` and `high` of a value: an interval of one width for all.

    level: the share of true values that it is to contain, as for the model (calibration.json).
    Split conformal prediction (Vovk et al. 2005; Lei et al. 2018): the width is a quantile of the
    errors on validation patients.
    """
    name = target.name
    checked = table[table["split"] == "validation"]
    errors = (checked[name] - checked[f"{name}_mean"]).abs().dropna().to_numpy()
    width = conformal_quantile(errors, level) if len(errors) else np.nan
    middle = table[f"{name}_mean"]
    return table.assign(**{f"{name}_low": middle - width, f"{name}_high": middle + width})
