"""The made-up cohort: persons, their eyes drawn, what is true of them, the best possible reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.core.artifacts import write_csv, write_json
from pipelines.core.parallel import by_chunk

from .arrays import (
    CHUNK,
    MASKS,
    QUALITY,
    SPLITS,
    Account,
    Target,
    write_images,
    write_tables,
    write_truth,
)
from .cohort import Cohort, Eye, Person, eyes
from .effects import NAMES, planted
from .params import PrepareParams
from .posterior import bayes_table
from .quality import quality, usable
from .render import masks, render

TARGETS = [
    Target("age", "value", "years"),
    Target("systolic", "value", "mmHg"),
    Target("bmi", "value", "kg/m²"),
    Target("sex", "binary", positive="male"),
    Target("smoking", "binary", positive="smoker"),
]
TRUE_EYES = 200  # of the test, whose vessels and disc are written down


def write(params: PrepareParams, out: Path) -> Account:
    """Write images.npy, eyes.csv, targets.json, anatomy.csv, truth.npz, bayes.csv, effects.json
    and cohort.json; return what was left out.

    Unusable photographs are left out of train and validation; in the test they stay, marked.
    """
    cohort = Cohort(params.seed, params.effect_scale, params.shortcut)
    persons = _persons(cohort, params)
    pairs = [(split, person, eye) for split, person in persons for eye in eyes(person)]
    tested = np.array([split == "test" for split, _, _ in pairs])
    measures = np.empty((len(pairs), len(QUALITY)))
    drawn = _drawn([eye for _, _, eye in pairs], params.size, tested, measures)
    write_images(out / "images.npy", drawn, params.size)
    fit = np.array([usable(*row) for row in measures])
    rows = np.flatnonzero(fit | tested)
    kept = [pairs[row] for row in rows]
    table = _table(kept).assign(usable=fit[rows])
    table[list(QUALITY)] = measures[rows]
    write_tables(out, table, TARGETS)
    write_csv(out / "anatomy.csv", pd.DataFrame([eye.row() for _, _, eye in kept]))
    _write_truth(out, kept, params.size)
    _write_bayes(out, persons, params.effect_scale)
    write_json(out / "effects.json", planted(params.effect_scale))
    write_json(out / "cohort.json", vars(cohort))
    what = "photographs of train and validation"
    why = "out of focus or too dark"
    return Account([{"what": what, "why": why, "count": len(pairs) - len(rows)}])


def check(params: PrepareParams) -> None:
    """Nothing can be missing: everything is drawn."""


def files(params: PrepareParams) -> dict[str, str]:
    """No file is read."""
    return {}


def about(params: PrepareParams, table: pd.DataFrame) -> dict[str, Any]:
    """The card's description of the data."""
    false_cue = (
        ["A false cue is planted: the camera's colour follows age, as anatomy does not."]
        if params.shortcut
        else []
    )
    return {
        "title": "Drawn eyes of a made-up cohort",
        "description": (
            "Synthetic data: fundus photographs drawn from a causal model of UK Biobank's risk "
            f"factors, published effects × {params.effect_scale:g}. No medical device."
        ),
        "synthetic": True,
        "source": {
            "name": "drawn by this stage (effects.py, cohort.py, render.py)",
            "licence": "Apache-2.0",
            "citation": (
                "Poplin et al. 2018, Nature Biomedical Engineering 2:158, "
                "doi 10.1038/s41551-018-0195-0, whose question is asked; effects: effects.py"
            ),
            "files": {},
        },
        "notes": [
            f"bayes.csv is {_best_reader(params)}",
            "Calibre, tortuosity, branching and tessellation carry what is planted; cup/disc "
            "ratio, pigment, colour, focus and magnification carry nothing.",
            *false_cue,
        ],
    }


def _best_reader(params: PrepareParams) -> str:
    if params.shortcut:
        return (
            "the best reader of the anatomy alone; who reads the false cue too can beat it, and "
            "so it is no bound."
        )
    return (
        "what the best possible reader says, who knows the model and the exact anatomy of both "
        "eyes: to beat it is a mistake."
    )


def _persons(cohort: Cohort, params: PrepareParams) -> list[tuple[str, Person]]:
    """Split by split, numbered from 1."""
    splits = [split for split in SPLITS for _ in range(getattr(params.persons, split))]
    return [(split, cohort.person(k)) for k, split in enumerate(splits, start=1)]


def _drawn(
    eyes_: Sequence[Eye], size: int, tested: np.ndarray, measures: np.ndarray
) -> Iterator[np.ndarray]:
    """Photographs that are usable or of the test, chunk by chunk; their quality into `measures`."""
    render_some = partial(_photographs, size=size)
    for place, (pictures, found) in by_chunk(render_some, eyes_, CHUNK):
        measures[place] = found
        yield pictures[tested[place] | [usable(*row) for row in found]]


def _photographs(eyes_: Sequence[Eye], size: int) -> tuple[np.ndarray, np.ndarray]:
    pictures = np.stack([render(eye, size) for eye in eyes_])
    return pictures, np.array([quality(picture) for picture in pictures])


def _table(kept: Sequence[tuple[str, Person, Eye]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "split": split,
                "patient": person.name,
                "eye": eye.side,
                "image": f"{person.name}-{eye.side}",
                **{target.name: person.factors[target.name] for target in TARGETS},
            }
            for split, person, eye in kept
        ]
    ).astype({target.name: int for target in TARGETS if target.kind == "binary"})


def _write_truth(out: Path, kept: Sequence[tuple[str, Person, Eye]], size: int) -> None:
    rows = [row for row, (split, _, _) in enumerate(kept) if split == "test"][:TRUE_EYES]
    found = [masks(kept[row][2], size) for row in rows]
    write_truth(out, rows, {name: np.stack([one[name] for one in found]) for name in MASKS})


def _write_bayes(out: Path, persons: Sequence[tuple[str, Person]], effect_scale: float) -> None:
    anatomy = np.array(
        [[[eye.anatomy[name] for name in NAMES] for eye in eyes(person)] for _, person in persons]
    )
    table = bayes_table([person.name for _, person in persons], anatomy, effect_scale)
    table.insert(1, "split", [split for split, _ in persons])
    write_csv(out / "bayes.csv", table)
