"""What a method says of each patient, always as a table in the form of predict's patients.csv.

Of targets that belong to an eye, such as a cataract, the same with a line for each photograph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_csv

from ..predict.conformal import conformal_quantile
from ..predict.tables import patient_truth
from ..prepare.arrays import Eyes, Target

WITHOUT_ABSTAINING = "model, without abstaining"
PER_EYE = "model, per eye"
_TEXT = ("patient", "eye", "image")


@dataclass(frozen=True)
class Answers:
    """Tables of the answers of each method by its name.

    model: `model` first, then variants of it; others: baselines and bounds, of the same patients,
    or photographs, as `model`, line by line.
    """

    model: Mapping[str, pd.DataFrame]
    others: Mapping[str, pd.DataFrame]


def of_patients(model: Mapping[str, pd.DataFrame], others: Mapping[str, pd.DataFrame]) -> Answers:
    """model: as `read_answers` gives it; others: of all patients, indexed by them."""
    asked = model["model"]["patient"]
    return Answers(model, {name: table.loc[asked].reset_index() for name, table in others.items()})


def each_alone(eyes: Eyes, targets: Sequence[Target]) -> Eyes:
    """Every photograph as if it were the only one of a patient called by its name."""
    return Eyes(eyes.images, eyes.table.assign(patient=eyes.table["image"]), list(targets))


def of_photographs(folder: Path, others: Mapping[str, pd.DataFrame]) -> Answers:
    """The same, photograph by photograph; others: of all, indexed by the photographs' names."""
    eyes = _tested(folder / "eyes.csv")
    refused = eyes["abstained"].to_numpy()
    model = {"model": eyes if refused.all() else eyes[~refused].reset_index(drop=True)}
    if refused.any() and not refused.all():
        model[WITHOUT_ABSTAINING] = eyes
    asked = model["model"]
    aligned = {
        name: table.loc[asked["image"]].reset_index(drop=True).assign(patient=asked["patient"])
        for name, table in others.items()
    }
    return Answers(model, aligned)


def read_answers(folder: Path) -> dict[str, pd.DataFrame]:
    """The model's answers on the test set: per patient, per eye, and with what it abstained from.

    `model` has the patients with at least one photograph that the model did not refuse.
    """
    patients, eyes = (_tested(folder / f"{name}.csv") for name in ("patients", "eyes"))
    refused = patients["abstained"].to_numpy()
    # A test set of which nothing can be answered is scored all the same.
    answered = patients[~refused].reset_index(drop=True) if not refused.all() else patients
    found = {"model": answered, PER_EYE: eyes[~eyes["abstained"]].reset_index(drop=True)}
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
