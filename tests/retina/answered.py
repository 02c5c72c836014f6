"""A small predict folder with answers of a known quality, as the stage writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from domains.retina.predict.calibrate import Calibration, write_calibration
from domains.retina.prepare.arrays import KEYS, QUALITY, read_eyes
from pipelines.core.artifacts import write_csv
from pipelines.core.randomness import generator

HALF_WIDTH = 1.6449  # deviations of the 90 % interval


def made_predict(
    folder: Path, prepare: Path, noise: float = 0.5, refused: int = 0, coverage: float = 0.9
) -> Path:
    """Answers about the eyes of a prepare folder: the truth and noise, and return the folder.

    noise: deviation of a reading's error, in deviations of the target; the intervals know it.
    refused: number of test patients that are abstained from, and misread by 5 deviations.
    coverage: what calibration.json says that the intervals promise; they are those of 90 %.
    """
    eyes = read_eyes(prepare, ("validation", "test"))
    rng = generator(11, len(eyes))
    table = eyes.table[[*KEYS, *QUALITY, "usable"]].assign(abstained=False)
    tested = eyes.table[eyes.table["split"] == "test"]["patient"].unique()
    table["abstained"] = table["patient"].isin(tested[:refused])
    for target in eyes.targets:
        truth = eyes.table[target.name]
        spread = noise * truth.std()
        said = truth + spread * rng.normal(size=len(table)) + 5 * truth.std() * table["abstained"]
        table[target.name] = truth
        if target.kind == "binary":
            table[f"{target.name}_probability"] = np.clip(said, 0, 1)
            continue
        table[f"{target.name}_mean"] = said
        table[f"{target.name}_sd"] = spread * (1 + 0.01 * rng.random(len(table)))
        table[f"{target.name}_low"] = said - HALF_WIDTH * spread - 1e-6
        table[f"{target.name}_high"] = said + HALF_WIDTH * spread + 1e-6
    write_csv(folder / "eyes.csv", table)
    write_csv(folder / "patients.csv", _of_patients(table))
    write_calibration(folder, Calibration(coverage, {}, {}, {}, None))
    return folder


def _of_patients(table: pd.DataFrame) -> pd.DataFrame:
    texts = {"split": "first", "abstained": "all", "usable": "any", "image": "size"}
    numbers = [c for c in table if c not in (*KEYS, "usable", "abstained")]
    grouped = table.groupby("patient", sort=False)
    found = grouped.agg(texts | dict.fromkeys(numbers, "mean"))
    return found.rename(columns={"image": "eyes"}).reset_index()
