"""A small prepare folder of random pictures, as the stage writes it: for tests of later stages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from domains.retina.prepare.arrays import (
    MASKS,
    SPLITS,
    Target,
    write_images,
    write_tables,
    write_truth,
)
from pipelines.core.artifacts import write_csv, write_json
from pipelines.core.randomness import generator

TARGETS = [
    Target("age", "value", "years"),
    Target("systolic", "value", "mmHg"),
    Target("bmi", "value", "kg/m²"),
    Target("sex", "binary", "", "male"),
    Target("smoking", "binary", "", "smoker"),
]
FEATURES = {  # mean, deviation and slope on (age − 57) / 8 and (systolic − 137) / 18
    "crae_um": (163.0, 10.0, -3.0, -20.0),
    "crve_um": (251.0, 16.0, 0.0, 0.0),
    "tortuosity_artery": (0.1, 0.03, 0.0, 0.03),
    "tortuosity_vein": (0.1, 0.03, 0.0, 0.0),
    "fractal_dimension": (1.4, 0.02, -0.01, 0.0),
    "cup_disc": (0.34, 0.1, 0.0, 0.0),
    "tessellation": (0.0, 0.5, 1.0, 0.0),
    "pigment": (0.0, 1.0, 0.0, 0.0),
    "defocus": (0.5, 0.1, 0.0, 0.0),
}


def made_prepare(
    folder: Path,
    n: int = 24,
    size: int = 32,
    seed: int = 0,
    cohort: bool = True,
    missing: float = 0.0,
) -> Path:
    """Write a prepare folder of n persons, both eyes of each, and return it.

    A half is train, a quarter validation, a quarter test. The left half of a picture is the
    brighter the older the person, the right half the higher the pressure, so that something can
    be learnt. cohort: with anatomy.csv, truth.npz, bayes.csv and effects.json.
    missing: share of persons whose systolic pressure and smoking are unknown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = generator(seed, n, size)
    people = _people(rng, n)
    table = people.loc[people.index.repeat(2)].reset_index(drop=True)
    table["eye"] = ["left", "right"] * n
    table["image"] = table["patient"] + "-" + table["eye"]
    table["blur"], table["exposure"] = rng.uniform(0.3, 1, 2 * n), rng.uniform(0.3, 0.6, 2 * n)
    table["field"] = rng.uniform(0.7, 0.79, 2 * n)
    table["usable"] = (rng.random(2 * n) > 0.05) | (table["split"] != "test")
    write_images(folder / "images.npy", [_pictures(rng, table, size)], size)
    anatomy = _anatomy(rng, table)
    unknown = np.repeat(rng.random(n) < missing, 2)
    table.loc[unknown, ["systolic", "smoking"]] = np.nan
    write_tables(folder, table, TARGETS)
    _card(folder, table, cohort)
    if cohort:
        write_csv(folder / "anatomy.csv", anatomy)
        _oracle(folder, rng, table, people, size)
    return folder


def _people(rng: np.random.Generator, n: int) -> pd.DataFrame:
    splits = np.repeat(SPLITS, [n - 2 * (n // 4), n // 4, n // 4])
    names = [f"p{k:04d}" for k in range(n)]
    return pd.DataFrame(
        {
            "split": splits,
            "patient": names,
            "age": np.round(rng.normal(57, 8, n), 1),
            "systolic": np.round(rng.normal(137, 18, n), 1),
            "bmi": np.round(rng.normal(27, 4, n), 1),
            "sex": rng.permutation(n) % 2,
            "smoking": rng.permutation(n) % 4 == 0,
        }
    ).astype({"smoking": float})


def _pictures(rng: np.random.Generator, table: pd.DataFrame, size: int) -> np.ndarray:
    pictures = rng.normal(110, 12, (len(table), size, size, 3))
    half = size // 2
    age, systolic = _standardised(table)
    pictures[:, :, :half] += 20 * age[:, None, None, None]
    pictures[:, :, half:] += 20 * systolic[:, None, None, None]
    pictures[:, ~_circle(size)] = 0
    return np.clip(pictures, 0, 255).astype(np.uint8)


def _standardised(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return (table["age"].to_numpy() - 57) / 8, (table["systolic"].to_numpy() - 137) / 18


def _circle(size: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return x**2 + y**2 <= (size / 2) ** 2


def _anatomy(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    age, systolic = _standardised(table)
    return pd.DataFrame(
        {
            name: mean + by_age * age + by_systolic * systolic + sd * rng.normal(size=len(table))
            for name, (mean, sd, by_age, by_systolic) in FEATURES.items()
        }
    )


def _oracle(
    folder: Path, rng: np.random.Generator, table: pd.DataFrame, people: pd.DataFrame, size: int
) -> None:
    rows = np.flatnonzero(table["split"] == "test")[:6]
    masks = {name: rng.random((len(rows), size, size)) < 0.1 for name in MASKS}
    masks["vessel"] = masks["artery"] | masks["vein"]
    write_truth(folder, rows.tolist(), masks)
    bayes = people[["patient", "split"]].copy()
    for name, sd in (("age", 4.0), ("systolic", 9.0), ("bmi", 4.0)):
        bayes[f"{name}_mean"] = people[name] + rng.normal(0, sd, len(people))
        bayes[f"{name}_sd"] = sd
    for name in ("sex", "smoking"):
        bayes[f"{name}_probability"] = np.clip(0.2 + 0.6 * people[name], 0, 1)
    write_csv(folder / "bayes.csv", bayes)
    slopes = {
        name: {"age": a / 8, "systolic": s / 18, "bmi": 0.0, "sex": 0.0, "smoking": 0.0}
        for name, (_, _, a, s) in FEATURES.items()
        if name not in ("pigment", "defocus")
    }
    write_json(folder / "effects.json", {"effect_scale": 5.0, "slopes": slopes})


def _card(folder: Path, table: pd.DataFrame, cohort: bool) -> None:
    counts = {
        split: {"eyes": len(part), "patients": part["patient"].nunique()}
        for split, part in table.groupby("split", sort=False)
    }
    card = {
        "title": "Made-up eyes",
        "description": "Synthetic data. Random pictures for tests.",
        "synthetic": cohort,
        "source": {"name": "tests", "licence": "none", "citation": "none", "files": {}},
        "splits": counts,
        "excluded": [],
        "intervals": "n counts patients.",
        "notes": [],
    }
    write_json(folder / "card.json", card)
    (folder / "preview.png").write_bytes(b"")
