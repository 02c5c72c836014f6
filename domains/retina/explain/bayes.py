"""The best possible reader of a cohort, and whether the network is better, which cannot be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_csv
from pipelines.statistics.bootstrap import bounded
from pipelines.statistics.resampling import weightings

from ..evaluate.measures import measure, rows_of
from ..prepare.arrays import Target
from .drawing import named
from .subject import Subject


def bayes_table(subject: Subject) -> pd.DataFrame | None:
    """The posterior of who knows the generator and the anatomy, line by line as `subject.said`."""
    path = subject.prepare / "bayes.csv"
    if not path.is_file():
        return None
    posterior = read_csv(path, text=("patient",)).drop(columns="split").set_index("patient")
    truth = subject.said[["patient", *(t.name for t in subject.targets)]]
    return truth.join(posterior, on="patient")


def better_than_bayes(
    said: pd.DataFrame, bayes: pd.DataFrame, targets: Sequence[Target]
) -> list[str]:
    """Names of the targets whose R² or AUC is above Bayes', beyond the 95 % interval of the
    paired difference over patients."""
    number = {patient: k for k, patient in enumerate(said["patient"])}
    drawn: dict[str, list[np.ndarray]] = {target.name: [] for target in targets}
    for weights in weightings(len(number), seed=0):
        for target in targets:
            ours, theirs = (
                measure(rows_of(table, target, number), target, weights) for table in (said, bayes)
            )
            what = "r2" if target.kind == "value" else "auc"
            drawn[target.name].append(ours[what] - theirs[what])
    gaps = {name: bounded(np.concatenate(parts), len(number)) for name, parts in drawn.items()}
    return [named(name) for name, gap in gaps.items() if gap.low > 0]
