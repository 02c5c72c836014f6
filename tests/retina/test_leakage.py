"""Why splits are by patient: the same eyes and reader, split by photograph and by patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from domains.retina.prepare.arrays import Target
from domains.retina.prepare.cohort import Cohort, eyes
from domains.retina.prepare.render import render
from domains.retina.prepare.split import split_patients
from domains.retina.train.intensity import LocalContrast
from pipelines.core.randomness import generator

AGE = Target("age", "value", "years")
PERSONS, SIZE, DRAWS = 30, 32, 6


@pytest.fixture(scope="module")
def photographs() -> tuple[np.ndarray, np.ndarray]:
    """Two photographs of each eye, with other light, focus and noise, as the network sees them:
    (4 · PERSONS, pixels), of mean 0 and length 1, and whose they are."""
    cohort, drawn = Cohort(2, 5.0), []
    for k in range(PERSONS):
        for eye, other in zip(eyes(cohort.person(k)), eyes(cohort.person(1000 + k)), strict=True):
            aim = ("magnification", "shift_x_mm", "shift_y_mm")
            again = replace(other.camera, **{name: getattr(eye.camera, name) for name in aim})
            drawn += [eye, replace(eye, camera=again)]
    images = torch.from_numpy(np.stack([render(eye, SIZE) for eye in drawn]))
    seen = LocalContrast()(images).numpy().reshape(len(drawn), -1)
    seen -= seen.mean(axis=1, keepdims=True)
    return seen / np.linalg.norm(seen, axis=1, keepdims=True), np.repeat(np.arange(PERSONS), 4)


def scores(photographs: tuple[np.ndarray, np.ndarray], unit: str) -> tuple[float, list[pd.Series]]:
    """Mean correlation of what the nearest training photograph says with the truth, over draws of
    an age that has nothing to do with the eye; and of each draw the splits a patient is in."""
    seen, person = photographs
    found, splits = [], []
    for draw in range(DRAWS):
        age = generator(20 + draw).normal(57, 8, PERSONS)[person]
        table = pd.DataFrame({"patient": person, "photograph": range(len(person)), "age": age})
        table["group"] = table[unit].map("{:04d}".format)
        table["split"] = split_patients(table, [AGE], (0.6, 0.1, 0.3), seed=draw)
        learnt, tested = (np.flatnonzero(table["split"] == s) for s in ("train", "test"))
        nearest = learnt[(seen[tested] @ seen[learnt].T).argmax(axis=1)]
        found.append(np.corrcoef(age[nearest], age[tested])[0, 1])
        splits.append(table.groupby("patient")["split"].nunique())
    return float(np.mean(found)), splits


def test_a_split_by_photograph_reads_what_is_not_there(
    photographs: tuple[np.ndarray, np.ndarray],
) -> None:
    """Age is drawn at random: what is 'read' of it is the person, recognised by the vessels."""
    inflated, spread = scores(photographs, "photograph")
    honest, kept = scores(photographs, "patient")
    assert inflated > 0.45
    assert abs(honest) < 0.2
    assert all((splits == 1).all() for splits in kept)  # no patient is in two splits
    assert all((splits > 1).mean() > 0.5 for splits in spread)
