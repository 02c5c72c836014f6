"""Parameters and small folders of photographs for the tests of prepare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from domains.retina.prepare.cohort import Cohort, eyes
from domains.retina.prepare.params import PrepareParams
from domains.retina.prepare.render import render
from pipelines.core.randomness import generator

AGE = {"name": "age", "column": "Age", "kind": "value", "unit": "years", "positive": ""}
SEX = {"name": "sex", "column": "Sex", "kind": "binary", "unit": "", "positive": "M"}


def params(**changed: Any) -> PrepareParams:
    """A small cohort, with some parameters changed."""
    values = {
        "source": "cohort",
        "path": None,
        "image_column": "File",
        "patient_column": "Patient",
        "eye_column": "Eye",
        "targets": [AGE, SEX],
        "size": 48,
        "persons": {"train": 6, "validation": 3, "test": 3},
        "effect_scale": 5.0,
        "shortcut": False,
        "pretrained": False,
        "shares": [0.6, 0.2, 0.2],
        "seed": 0,
    }
    return PrepareParams.model_validate({**values, **changed})


def photographs(folder: Path, patients: int = 14) -> Path:
    """Drawn eyes as PNG files of several sizes, and eyes.csv, whose path is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    cohort = Cohort(5, 5.0)
    lines = ["File,Patient,Eye,Age,Sex"]
    persons = (cohort.person(k) for k in range(1, 200))
    fit = (p for p in persons if all(_usable(eye.camera) for eye in eyes(p)))
    for k, person in zip(range(patients), fit, strict=False):
        for eye in eyes(person):
            name = f"{k:03d}_{eye.side}.png"
            picture = np.zeros((70, 84, 3), dtype=np.uint8)
            picture[3:67, 10:74] = render(eye, 64)
            Image.fromarray(picture).save(folder / name)
            age = f"{person.factors['age']:.0f}"
            lines.append(f"{name},{k:03d},{eye.side},{age},{'FM'[k % 2]}")
    table = folder / "eyes.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def _usable(camera: Any) -> bool:
    return camera.defocus_um < 100 and camera.gain > 0.6


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A picture full of detail, lit to its corners."""
    return generator(seed).integers(60, 200, (height, width, 3), dtype=np.uint8)
