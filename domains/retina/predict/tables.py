"""What is said of each eye and of each person, as tables."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..prepare.arrays import KEYS, QUALITY, Target
from .conformal import values_of


def eye_table(
    table: pd.DataFrame, targets: list[Target], centre: np.ndarray, spread: np.ndarray
) -> pd.DataFrame:
    """KEYS, QUALITY, usable, then of each target its truth and what is said of it.

    centre, spread: (n, T), as `reading.answers` gives them. Values have `<t>_mean` and `<t>_sd`,
    binary targets `<t>_probability`.
    """
    columns = [*KEYS, *QUALITY, "usable"]
    said = {name: table[name].to_numpy() for name in columns if name in table}
    for k, target in enumerate(targets):
        if target.name in table:
            said[target.name] = table[target.name].to_numpy()
        if target.kind == "binary":
            said[f"{target.name}_probability"] = 1 / (1 + np.exp(-centre[:, k]))
        else:
            said[f"{target.name}_mean"] = centre[:, k]
            said[f"{target.name}_sd"] = spread[:, k]
    return pd.DataFrame(said)


def patient_truth(eyes: pd.DataFrame, targets: Sequence[Target]) -> pd.DataFrame:
    """What is true of each patient, indexed by `patient`; models and baselines are held to it.

    The mean over the known labels of a patient's usable eyes, or of all where none is. A binary
    label that is not the same in all of them is unknown: it belongs to an eye, not to a person.
    """
    best = eyes.groupby("patient")["usable"].transform("max")
    groups = eyes[eyes["usable"] == best].groupby("patient", sort=False)
    truth = groups[[target.name for target in targets]].mean()
    for target in targets:
        if target.kind == "binary":
            truth[target.name] = truth[target.name].where(groups[target.name].nunique() < 2)
    return truth


def patient_table(eyes: pd.DataFrame, targets: list[Target]) -> pd.DataFrame:
    """One row a patient: what is said of the eyes of whom something can be said, averaged.

    Means and deviations are averaged, probabilities by their logits. `eyes` counts what was
    averaged. Nothing can be said (`abstained`) if it can of neither eye; then all are averaged.
    The truth is `patient_truth`.
    """
    kept = eyes.copy()
    lost = eyes.groupby(["split", "patient"])["abstained"].transform("all")
    kept = kept[~kept["abstained"] | lost]
    for target in targets:
        if target.kind == "binary":
            name = f"{target.name}_probability"
            kept[name] = logit(kept[name])
    groups = kept.groupby(["split", "patient"], sort=False)
    first = groups[["usable", "abstained"]].first()
    table = pd.concat([groups.size().rename("eyes"), groups[list(QUALITY)].mean(), first], axis=1)
    truth = patient_truth(eyes, targets)
    for target in targets:
        names = [f"{target.name}_probability"]
        if target.kind == "value":
            names = [f"{target.name}_mean", f"{target.name}_sd"]
        table = table.join(truth[target.name], on="patient").join(groups[names].mean())
        if target.kind == "binary":
            table[names[0]] = 1 / (1 + np.exp(-table[names[0]]))
    return table.reset_index()


def uncertainty(table: pd.DataFrame, targets: list[Target], typical: dict[str, float]) -> pd.Series:
    """How uncertain an eye's values are: the mean over them of log(sd / typical sd); else 0."""
    logs = [np.log(table[f"{name}_sd"] / typical[name]) for name in values_of(targets)]
    return sum(logs) / len(logs) if logs else pd.Series(0.0, index=table.index)


def logit(probability: pd.Series) -> pd.Series:
    """log(p / (1 − p)), finite also at 0 and 1."""
    clipped = probability.clip(1e-7, 1 - 1e-7)
    return np.log(clipped / (1 - clipped))
